//! How ids, positions, times and sides are written down, so that only what they are to each other is left of them.

use service_kit::{
    id::{Side, Sides},
    time::Time,
};
use uuid::Uuid;

use super::{key::Detail, onlooker::Memory, world::sent};

/// Writes a world down, looking at it from one of its two sides.
pub(crate) struct Writer<'a> {
    pub(crate) bytes: &'a mut Vec<u8>,
    pub(crate) ids: &'a mut Vec<Uuid>,
    pub(crate) times: &'a mut Vec<Time>,
    pub(crate) cursor: u64,
    pub(crate) swapped: bool,
    pub(crate) detail: Detail,
}

/// Stands for what is not there.
pub(crate) const NONE: u8 = 0xFF;

impl Writer<'_> {
    /// Both sides in the order in which this writer looks at them.
    pub(crate) fn sides(&self) -> [Side; 2] {
        if self.swapped {
            [Side::High, Side::Low]
        } else {
            Side::BOTH
        }
    }

    pub(crate) fn side(&mut self, side: Side) {
        self.bytes
            .push(u8::from((side == Side::High) != self.swapped));
    }

    pub(crate) fn flags(&mut self, flags: Sides<bool>) {
        let [first, second] = self.sides();
        self.bytes
            .push(u8::from(*flags.get(first)) | u8::from(*flags.get(second)) << 1);
    }

    pub(crate) fn number(&mut self, number: u32) {
        self.bytes.push(u8::try_from(number).unwrap());
    }

    /// Positions up to the cursor are past.
    pub(crate) fn position(&mut self, position: u64) {
        self.bytes
            .push(u8::try_from(position.saturating_sub(self.cursor)).unwrap());
    }

    pub(crate) fn optional_id(&mut self, id: Option<Uuid>) {
        match id {
            None => self.bytes.push(NONE),
            Some(id) => self.id(id),
        }
    }

    /// An invitation that may still connect, and what came after it was sent.
    pub(crate) fn hopeful(&mut self, id: Uuid, memory: &Memory) {
        self.id(id);
        let before = |time: Option<Time>| time >= Some(sent(&id));
        self.bytes.push(u8::from(before(memory.blocked)));
    }

    pub(crate) fn id(&mut self, id: Uuid) {
        let met = met(self.ids, id);
        self.bytes.push(met);
    }

    pub(crate) fn time(&mut self, time: Time) {
        let met = met(self.times, time);
        self.bytes.push(met);
    }
}

/// The place of a thing in the order in which things were met.
fn met<T: PartialEq>(things: &mut Vec<T>, thing: T) -> u8 {
    let place = things
        .iter()
        .position(|met| *met == thing)
        .unwrap_or_else(|| {
            things.push(thing);
            things.len() - 1
        });
    u8::try_from(place).unwrap()
}
