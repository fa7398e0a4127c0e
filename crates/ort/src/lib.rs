//! The few calls of `ort` 1.x that rust-faces 1.0.0 makes, passed on to `ort` 2 (see README.md).
//!
//! Everything rust-faces names is here and nothing else. Execution providers other than the CPU are accepted and reported as absent.

use std::sync::{Arc, Mutex};

use ndarray::{ArrayViewD, CowArray, IxDyn};

/// What went wrong in ONNX Runtime, in its own words.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct OrtError(String);

impl<R> From<ort2::Error<R>> for OrtError {
    fn from(error: ort2::Error<R>) -> Self {
        Self(error.message().to_owned())
    }
}

type OrtResult<T> = Result<T, OrtError>;

/// The process-wide runtime. Build it with [`Environment::over`] from the environment that the program has already set up.
pub struct Environment(ort2::environment::Environment);

impl Environment {
    /// Wraps the `ort` 2 environment that the program loaded.
    pub fn over(environment: ort2::environment::Environment) -> Arc<Self> {
        Arc::new(Self(environment))
    }

    /// rust-faces' own builder asks for this; it works where the runtime is found by the dynamic linker.
    pub fn builder() -> EnvironmentBuilder {
        EnvironmentBuilder
    }
}

/// Builds an [`Environment`] with the defaults of `ort` 2.
pub struct EnvironmentBuilder;

impl EnvironmentBuilder {
    /// Accepted for compatibility: `ort` 2 has one environment a process.
    pub fn with_name(self, _name: &str) -> Self {
        self
    }

    /// Accepted for compatibility: only the CPU is offered.
    pub fn with_execution_providers(self, _providers: impl AsRef<[ExecutionProvider]>) -> Self {
        self
    }

    /// # Errors
    /// When the runtime refuses the environment.
    pub fn build(self) -> OrtResult<Environment> {
        Ok(Environment(ort2::init().build()?))
    }
}

/// The providers that rust-faces can name; none but the CPU (which has no name here) is available.
pub enum ExecutionProvider {
    /// Nvidia.
    CUDA(execution_providers::CUDAExecutionProviderOptions),
    /// Apple.
    CoreML(execution_providers::CoreMLExecutionProviderOptions),
}

impl ExecutionProvider {
    /// Always false: this program runs on the CPU.
    pub fn is_available(&self) -> bool {
        false
    }
}

/// Options that rust-faces fills in.
pub mod execution_providers {
    /// Nvidia.
    #[derive(Default)]
    pub struct CUDAExecutionProviderOptions {
        /// Which card.
        pub device_id: u32,
        /// Room for the fields that rust-faces leaves at their defaults.
        pub reserved: (),
    }

    /// Apple.
    #[derive(Default)]
    pub struct CoreMLExecutionProviderOptions {}
}

/// Loading networks.
pub mod session {
    use super::{Arc, Environment, Mutex, OrtResult, Session};

    /// Builds one-threaded sessions.
    pub struct SessionBuilder(ort2::session::builder::SessionBuilder);

    impl SessionBuilder {
        /// # Errors
        /// When the runtime refuses the options.
        pub fn new(environment: &Arc<Environment>) -> OrtResult<Self> {
            let builder =
                ort2::session::Session::builder(&environment.0)?.with_intra_threads(1)?.with_inter_threads(1)?;
            Ok(Self(builder))
        }

        /// # Errors
        /// When the file is missing or is no network.
        pub fn with_model_from_file(mut self, path: impl AsRef<std::path::Path>) -> OrtResult<Session> {
            Ok(Session(Mutex::new(self.0.commit_from_file(path)?)))
        }
    }
}

/// A loaded network. `ort` 1 ran it through a shared reference, `ort` 2 wants an exclusive one: hence the lock.
pub struct Session(Mutex<ort2::session::Session>);

/// Stands for the allocator argument of `ort` 1, which `ort` 2 no longer takes.
pub struct Allocator;

impl Session {
    /// See [`Allocator`].
    pub fn allocator(&self) -> &Allocator {
        &Allocator
    }

    /// Runs the network. Outputs come in the file's order.
    ///
    /// # Errors
    /// When an input does not fit the network.
    pub fn run(&self, inputs: Vec<Value>) -> OrtResult<Vec<Value>> {
        let mut session = self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let inputs = inputs
            .into_iter()
            .map(|Value { shape, data }| ort2::value::Tensor::from_array((shape, data)).map(Into::into))
            .collect::<Result<Vec<ort2::session::SessionInputValue<'_>>, _>>()?;
        let outputs = session.run(inputs.as_slice())?;
        outputs
            .values()
            .map(|output| {
                let (shape, data) = output.try_extract_tensor::<f32>()?;
                let shape = shape.iter().map(|&side| usize::try_from(side).unwrap_or(0)).collect();
                Ok(Value { shape, data: data.to_vec() })
            })
            .collect()
    }
}

/// An f32 tensor going in or coming out.
pub struct Value {
    shape: Vec<usize>,
    data: Vec<f32>,
}

impl Value {
    /// Copies an array into a tensor.
    ///
    /// # Errors
    /// Never; `ort` 1's could.
    pub fn from_array(_allocator: &Allocator, array: &CowArray<'_, f32, IxDyn>) -> OrtResult<Self> {
        Ok(Self { shape: array.shape().to_vec(), data: array.iter().copied().collect() })
    }

    /// Gives the values as an array.
    ///
    /// # Errors
    /// Never for the f32 tensors that [`Session::run`] makes.
    pub fn try_extract<'v>(&'v self) -> OrtResult<tensor::OrtOwnedTensor<'v, f32, IxDyn>> {
        let view =
            ArrayViewD::from_shape(self.shape.clone(), &self.data).map_err(|error| OrtError(error.to_string()))?;
        Ok(tensor::OrtOwnedTensor(view))
    }
}

/// Reading outputs.
pub mod tensor {
    use ndarray::ArrayView;

    /// A view of an output's values.
    pub struct OrtOwnedTensor<'v, T, D>(pub(crate) ArrayView<'v, T, D>);

    impl<T, D: ndarray::Dimension> OrtOwnedTensor<'_, T, D> {
        /// The values.
        pub fn view(&self) -> ArrayView<'_, T, D> {
            self.0.view()
        }
    }
}
