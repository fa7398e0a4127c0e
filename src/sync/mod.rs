//! From the roster and the photos of the office to the store.
//!
//! `roster` (with `text`, `header`, `fields`, `id_number`, `phone`, `basis`) reads rows, `photos` looks at the files they name, `plan` compares
//! both with the store and decides, `apply` does it (`looked` and `likeness` find photos of somebody else), `report` tells. [`synchronise`] is the whole way.

mod apply;
mod basis;
mod error;
mod fields;
mod header;
mod id_number;
mod job;
mod likeness;
mod looked;
mod phone;
mod photos;
mod plan;
mod report;
mod roster;
mod text;

pub use error::SyncError;
pub use id_number::{IdFault, parse as parse_id_number};
pub use job::{Job, synchronise};
pub use phone::{PhoneFault, parse as parse_phone};
pub use report::{Outcome, Report, RowReport};
