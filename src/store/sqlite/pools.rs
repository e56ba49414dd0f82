use sqlx::SqlitePool;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError, RwLock};

/// The connections to a file, opened anew where another file came in its place: a backup that was
/// put there. Open connections would go on with the former one, which has no name any more.
pub(super) struct Pools {
    /// Locked for a look or an exchange.
    current: RwLock<SqlitePool>,
    times_opened: AtomicU64,
    /// `None` where the application opened it.
    place: Option<Place>,
}

struct Place {
    path: PathBuf,
    open: Box<dyn Fn() -> SqlitePool + Send + Sync>,
    /// What stood there when it was opened; `None` before. Locked from a comparison to an
    /// exchange.
    file: Mutex<Option<FileId>>,
}

impl Pools {
    pub(super) fn of(pool: SqlitePool) -> Self {
        Self {
            current: RwLock::new(pool),
            times_opened: AtomicU64::new(0),
            place: None,
        }
    }

    /// The pool of a file; `open` makes another one of the file that stands there then.
    pub(super) fn at(
        path: &Path,
        pool: SqlitePool,
        open: impl Fn() -> SqlitePool + Send + Sync + 'static,
    ) -> Self {
        Self {
            place: Some(Place {
                path: path.to_owned(),
                open: Box::new(open),
                file: Mutex::new(None),
            }),
            ..Self::of(pool)
        }
    }

    pub(super) fn current(&self) -> SqlitePool {
        let current = self.current.read();
        current.unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(super) fn times_opened(&self) -> u64 {
        self.times_opened.load(Ordering::Acquire)
    }

    /// Looks whether another file has come.
    pub(super) async fn follow(&self) {
        let Some(place) = &self.place else {
            return;
        };
        // On a thread that may wait: a look at a file can hang where the disk is away.
        let path = place.path.clone();
        // While there is none, or it cannot be looked at, what is open goes on.
        if let Ok(Ok(Some(now))) = tokio::task::spawn_blocking(move || FileId::of(&path)).await {
            self.exchange_unless(place, now);
        }
    }

    fn exchange_unless(&self, place: &Place, now: FileId) {
        let mut file = place.file.lock().unwrap_or_else(PoisonError::into_inner);
        let known = file.replace(now);
        // The first look says only which file was opened.
        if known.is_none_or(|known| known == now) {
            return;
        }
        let mut current = self.current.write().unwrap_or_else(PoisonError::into_inner);
        *current = (place.open)();
        self.times_opened.fetch_add(1, Ordering::AcqRel);
    }
}

/// Which file it is, whatever its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct FileId {
    device: u64,
    number: u64,
}

impl FileId {
    #[cfg(unix)]
    fn of(path: &Path) -> io::Result<Option<Self>> {
        use std::os::unix::fs::MetadataExt;
        let file = std::fs::metadata(path)?;
        Ok(Some(Self {
            device: file.dev(),
            number: file.ino(),
        }))
    }

    /// Elsewhere nothing takes the place of a file that is open.
    #[cfg(not(unix))]
    fn of(_path: &Path) -> io::Result<Option<Self>> {
        Ok(None)
    }
}
