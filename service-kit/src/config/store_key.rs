//! The key of where a service keeps its store.

use super::form::{STORE, StoreAddress};
use super::{Key, Scalar};

/// The key `database.url`, which fills `field`. Its value is secret where it has a password.
pub fn store_key<C: 'static>(field: fn(&mut C) -> &mut StoreAddress) -> Key<C> {
    Key::text(
        "database.url",
        STORE,
        field,
        "the store's file (`-wal`, `-shm` and `.lock` beside it belong to it); or a database on PostgreSQL 15 or newer, which several processes may \
         use at once. Of several hosts (`HOST:PORT,HOST:PORT`) the one that may write is used, by TLS but to this machine or with `?sslmode=disable`",
    )
    .secret_where(has_password)
}

fn has_password(url: &Scalar) -> bool {
    let Scalar::Text(text) = url else { return true };
    match (STORE.parse)(text) {
        Ok(StoreAddress::Postgres(url)) => url.has_password(),
        Ok(StoreAddress::File(_)) => false,
        Err(_) => true,
    }
}
