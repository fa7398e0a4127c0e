//! The test's hand on the virtual camera: plugs it in, holds photos in front of it, pulls its cable.
//!
//! A program sees the camera when it is started with [`VirtualCamera::env`]. A test whose body uses `greeter::camera` itself is
//! wrapped in [`in_front_of_the_camera`], which runs it again in a process of its own with that environment.

use std::{
    fs::{self, File},
    path::{Path, PathBuf},
    process::Command,
};

use rustix::fs::{CWD, FileType, Mode, makedev, mknodat};

const FOLDER: &str = "VIRTUAL_CAMERA_DIR";
/// The major number of video devices.
const VIDEO: u32 = 81;

/// A virtual camera; plugged in as /dev/videoN for those programs that have its environment.
pub struct VirtualCamera {
    control: PathBuf,
    /// What only the process that plugged it in has: the folder, and the lock that keeps other tests' cameras out.
    owned: Option<(tempfile::TempDir, File)>,
}

#[allow(dead_code, reason = "each test file uses its own part")]
impl VirtualCamera {
    /// Waits until no other test has a camera, and plugs one in. `None`, said on the standard output, where /dev cannot be
    /// written.
    pub fn plug_in() -> Option<Self> {
        let lock = File::create(std::env::temp_dir().join("greeter-virtual-camera.lock")).expect("a lock file");
        lock.lock().expect("the lock of the virtual camera");
        let folder = tempfile::tempdir().expect("a folder");
        let camera = Self { control: folder.path().to_owned(), owned: Some((folder, lock)) };
        // A number that no real camera has. A node without a driver was left over by a test that died.
        let is_real = |number: &u32| Path::new(&format!("/sys/class/video4linux/video{number}")).exists();
        let number = (0..64).find(|number| !is_real(number)).expect("a free number");
        camera.set("node", &number.to_string());
        match camera.make_node() {
            Ok(()) => {
                camera.set("state", "on");
                Some(camera)
            }
            Err(error) => {
                println!("skipped: no virtual camera, because {} cannot be made: {error}", camera.path().display());
                None
            }
        }
    }

    /// The environment in which a program sees the camera.
    pub fn env(&self) -> Vec<(String, String)> {
        let library = Path::new(env!("CARGO_BIN_EXE_greeter")).with_file_name("libvirtual_camera.so");
        assert!(
            library.exists(),
            "{} is missing; build it first: cargo build --release --workspace",
            library.display()
        );
        vec![("LD_PRELOAD".into(), library.display().to_string()), (FOLDER.into(), self.control.display().to_string())]
    }

    /// Its device node, usually /dev/video0.
    pub fn path(&self) -> PathBuf {
        format!("/dev/video{}", self.number()).into()
    }

    /// The number of its device node.
    pub fn number(&self) -> u32 {
        fs::read_to_string(self.control.join("node")).expect("the node's number").parse().expect("a number")
    }

    /// Puts a photo, or a folder of photos as the replay plays it when it is looped, in front of the camera. A file named `.raw` is sent as it is.
    pub fn shows(&self, scene: &Path) {
        let scene = scene.canonicalize().unwrap_or_else(|error| panic!("{}: {error}", scene.display()));
        self.set("scene", scene.to_str().expect("a path in UTF-8"));
    }

    /// Lets it offer only `MJPG` or only `YUYV`. To be said before a program opens it.
    pub fn offers_only(&self, format: &str) {
        self.set("formats", format);
    }

    /// Gives it a control for its exposure, which it chooses itself at first. To be said before a program opens it.
    pub fn has_an_exposure_control(&self) {
        self.set("exposure", "156 auto");
    }

    /// Its exposure and who chose it, such as `156 auto`; `None` if it has no such control.
    pub fn exposure(&self) -> Option<String> {
        fs::read_to_string(self.control.join("exposure")).ok()
    }

    /// Pulls the cable.
    pub fn unplug(&self) {
        self.set("state", "unplugged");
        self.remove_node();
    }

    /// Plugs it in again.
    pub fn replug(&self) {
        self.make_node().expect("the device node");
        self.set("state", "on");
    }

    /// Plugs it in again, under another number.
    pub fn replug_as(&self, number: u32) {
        self.set("node", &number.to_string());
        self.replug();
    }

    /// Lets it stay there but send nothing.
    pub fn falls_silent(&self) {
        self.set("state", "silent");
    }

    /// Lets it send again.
    pub fn sends_again(&self) {
        self.set("state", "on");
    }

    fn make_node(&self) -> std::io::Result<()> {
        let path = self.path();
        if path.exists() {
            return Ok(());
        }
        let (kind, mode) = (FileType::CharacterDevice, Mode::from_raw_mode(0o660));
        // The node is never really opened, so a plain file does where devices cannot be made.
        mknodat(CWD, &path, kind, mode, makedev(VIDEO, self.number())).or_else(|_| File::create(&path).map(drop))
    }

    fn remove_node(&self) {
        let _ = fs::remove_file(self.path());
    }

    /// Replaces a control file at once.
    fn set(&self, name: &str, value: &str) {
        let new = self.control.join(format!("{name}.new"));
        fs::write(&new, value).and_then(|()| fs::rename(&new, self.control.join(name))).expect("a control file");
    }
}

impl Drop for VirtualCamera {
    fn drop(&mut self) {
        if self.owned.is_some() {
            self.remove_node();
        }
    }
}

/// Runs `body` with a virtual camera that this very process sees. `test` is the test's own name, by which it is run again in a
/// process that has the camera's environment from its start.
#[allow(dead_code, reason = "each test file uses its own part")]
pub fn in_front_of_the_camera(test: &str, body: impl FnOnce(&VirtualCamera)) {
    if let Some(control) = std::env::var_os(FOLDER) {
        return body(&VirtualCamera { control: control.into(), owned: None });
    }
    let Some(camera) = VirtualCamera::plug_in() else { return };
    let program = std::env::current_exe().expect("this program");
    let output = Command::new(program).args([test, "--exact", "--nocapture"]).envs(camera.env()).output();
    let output = output.expect("the test in a process of its own");
    let said = String::from_utf8_lossy(&output.stdout);
    print!("{said}");
    eprint!("{}", String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "the test failed in front of the camera; see above");
    assert!(said.contains("1 passed"), "there is no test named {test}");
}
