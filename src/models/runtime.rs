//! ONNX Runtime: loaded once, at run time, from the place where `scripts/setup.sh` puts it.

use std::{
    path::Path,
    sync::{Arc, Mutex, PoisonError},
};

use ort2::{
    environment::Environment,
    session::{Session, SessionInputValue, SessionInputs, SessionOutputs},
    value::TensorRef,
};

use super::ModelError;
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
    /// [`ModelError::Runtime`] when it is missing, damaged or too old.
    pub fn load(installation: &Installation) -> Result<Self, ModelError> {
        let mut loaded = LOADED.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(runtime) = &*loaded {
            return Ok(runtime.clone());
        }
        let path = installation.onnx_runtime();
        let fault = |cause: String| ModelError::Runtime { path: path.clone(), cause };
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

/// What goes into a network by name: a shape and its values.
pub enum Values<'v> {
    /// Floats.
    F32(&'v [usize], &'v [f32]),
    /// Integers.
    I32(&'v [usize], &'v [i32]),
}

impl Values<'_> {
    fn tensor(&self) -> Result<SessionInputValue<'_>, ort2::Error> {
        Ok(match self {
            Self::F32(shape, values) => TensorRef::from_array_view((shape.to_vec(), *values))?.into(),
            Self::I32(shape, values) => TensorRef::from_array_view((shape.to_vec(), *values))?.into(),
        })
    }
}

/// A network, run by one thread (a second one would spin and take the core that speech needs).
pub struct Network {
    name: String,
    session: Session,
}

impl Network {
    /// Loads a network whose file has been verified.
    ///
    /// # Errors
    /// [`ModelError::Inference`] when the runtime cannot make sense of the file.
    pub fn load(runtime: &Runtime, name: &str, file: &Path) -> Result<Self, ModelError> {
        let session = || -> Result<Session, ort2::Error> {
            Session::builder(&runtime.environment)?.with_intra_threads(1)?.with_inter_threads(1)?.commit_from_file(file)
        };
        let session = session().map_err(|error| Self::failure(name, &error))?;
        Ok(Self { name: name.to_owned(), session })
    }

    /// Runs the network on an f32 tensor and gives its outputs, in the file's order, with their lengths as they come.
    ///
    /// # Errors
    /// [`ModelError::Inference`] when the tensor does not fit the network.
    pub fn run(&mut self, shape: &[usize], values: &[f32]) -> Result<Vec<Vec<f32>>, ModelError> {
        let name = &self.name;
        let failed = |error: ort2::Error| Self::failure(name, &error);
        let input = TensorRef::from_array_view((shape.to_vec(), values)).map_err(failed)?;
        floats(&self.session.run(ort2::inputs![input]).map_err(failed)?).map_err(failed)
    }

    /// The same for a network whose inputs have names; its outputs are floats.
    ///
    /// # Errors
    /// [`ModelError::Inference`] when a name, a shape or a kind of numbers is not the network's.
    pub fn run_named(&mut self, inputs: &[(&str, Values<'_>)]) -> Result<Vec<Vec<f32>>, ModelError> {
        let name = &self.name;
        let failed = |error: ort2::Error| Self::failure(name, &error);
        let inputs = inputs.iter().map(|(name, values)| Ok((*name, values.tensor()?))).collect::<Result<Vec<_>, _>>();
        let inputs: SessionInputs<'_, '_> = inputs.map_err(failed)?.into();
        floats(&self.session.run(inputs).map_err(failed)?).map_err(failed)
    }

    fn failure<R>(name: &str, error: &ort2::Error<R>) -> ModelError {
        ModelError::Inference { network: name.to_owned(), cause: error.message().to_owned() }
    }
}

fn floats(outputs: &SessionOutputs<'_>) -> Result<Vec<Vec<f32>>, ort2::Error> {
    outputs.values().map(|output| Ok(output.try_extract_tensor::<f32>()?.1.to_vec())).collect()
}
