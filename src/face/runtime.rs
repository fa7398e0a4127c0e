//! ONNX Runtime: loaded once, at run time, from the place where `scripts/setup.sh` puts it.

use std::{
    path::Path,
    sync::{Arc, Mutex, PoisonError},
};

use ort2::{environment::Environment, session::Session, value::TensorRef};

use super::FaceError;
use crate::installation::Installation;

/// The loaded runtime. `ort` has one environment a process, so every clone is the same one.
#[derive(Clone)]
pub struct Runtime {
    environment: Environment,
    adapter: Arc<ort::Environment>,
}

/// What [`Runtime::load`] made; kept for the life of the process, as `ort` wants it.
static LOADED: Mutex<Option<Runtime>> = Mutex::new(None);

impl Runtime {
    /// Loads the library, or gives the one that is loaded already.
    ///
    /// # Errors
    /// [`FaceError::Runtime`] when it is missing, damaged or too old.
    pub fn load(installation: &Installation) -> Result<Self, FaceError> {
        let mut loaded = LOADED.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(runtime) = &*loaded {
            return Ok(runtime.clone());
        }
        let path = installation.onnx_runtime();
        let fault = |cause: String| FaceError::Runtime { path: path.clone(), cause };
        if !path.is_file() {
            return Err(fault("there is no such file".into()));
        }
        let environment = ort2::init_from(&path)
            .map_err(|error| fault(error.to_string()))?
            .with_telemetry(false)
            .build()
            .map_err(|error| fault(error.to_string()))?;
        let runtime = Self { adapter: ort::Environment::over(environment.clone()), environment };
        *loaded = Some(runtime.clone());
        Ok(runtime)
    }

    /// The same runtime for rust-faces.
    pub fn adapter(&self) -> &Arc<ort::Environment> {
        &self.adapter
    }
}

/// A network with one input, run by one thread (a second one would spin and take the core that speech needs).
pub struct Network {
    name: String,
    session: Session,
}

impl Network {
    /// Loads a network whose file has been verified.
    ///
    /// # Errors
    /// [`FaceError::Inference`] when the runtime cannot make sense of the file.
    pub fn load(runtime: &Runtime, name: &str, file: &Path) -> Result<Self, FaceError> {
        let session = || -> Result<Session, ort2::Error> {
            Session::builder(&runtime.environment)?.with_intra_threads(1)?.with_inter_threads(1)?.commit_from_file(file)
        };
        let session = session().map_err(|error| Self::failure(name, &error))?;
        Ok(Self { name: name.to_owned(), session })
    }

    /// Runs the network on an f32 tensor and gives its outputs, in the file's order, with their lengths as they come.
    ///
    /// # Errors
    /// [`FaceError::Inference`] when the tensor does not fit the network.
    pub fn run(&mut self, shape: &[usize], values: &[f32]) -> Result<Vec<Vec<f32>>, FaceError> {
        let name = &self.name;
        let failed = |error: ort2::Error| Self::failure(name, &error);
        let input = TensorRef::from_array_view((shape.to_vec(), values)).map_err(failed)?;
        let outputs = self.session.run(ort2::inputs![input]).map_err(failed)?;
        outputs
            .values()
            .map(|output| output.try_extract_tensor::<f32>().map(|(_, values)| values.to_vec()).map_err(failed))
            .collect()
    }

    fn failure<R>(name: &str, error: &ort2::Error<R>) -> FaceError {
        FaceError::Inference { network: name.to_owned(), cause: error.message().to_owned() }
    }
}
