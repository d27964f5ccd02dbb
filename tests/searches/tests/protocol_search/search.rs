//! The search: every world that a number of commands can lead to, in every order of messages, each looked at once.
//!
//! Worlds are visited by the number of commands that led there, so that the trace of a broken promise has as few as possible.

use std::collections::{HashSet, VecDeque};

use super::{
    key::{Detail, Keys},
    rules::Rules,
    steps::Step,
    world::{Broken, World},
};

/// What a search came to.
#[derive(Debug)]
pub(crate) enum Found {
    /// Every promise is kept.
    Nothing {
        /// How many different worlds there are for each number of commands.
        worlds: Vec<usize>,
    },
    /// A promise was broken.
    Violation {
        /// Which.
        promise: &'static str,
        /// How many commands it took.
        commands: usize,
        /// The steps.
        trace: Vec<String>,
    },
}

/// Which promises a search looks after.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Watched {
    /// What members can notice, and counters.
    Members,
    /// That, and that the copy of the facts is at every moment what held at the position it names, and grows no older.
    Everything,
}

/// Looks at every world within `depth` commands.
pub(crate) fn search(rules: &dyn Rules, depth: usize, detail: Detail, watched: Watched) -> Found {
    let mut search = Search {
        rules,
        detail,
        watched,
        keys: Keys::default(),
        seen: HashSet::new(),
        origins: Vec::new(),
    };
    match search.run(depth) {
        Ok(worlds) => Found::Nothing { worlds },
        Err(Failure { promise, steps }) => {
            let (commands, trace) = retell(rules, &steps);
            Found::Violation {
                promise: promise.0,
                commands,
                trace,
            }
        }
    }
}

struct Search<'a> {
    rules: &'a dyn Rules,
    detail: Detail,
    watched: Watched,
    keys: Keys,
    seen: HashSet<u64>,
    /// For each world, which one it came from and by which step.
    origins: Vec<(u32, Option<Step>)>,
}

/// A world, and where it stands among the origins.
type Place = (World, u32);

struct Failure {
    promise: Broken,
    steps: Vec<Step>,
}

impl Search<'_> {
    /// How many worlds there are for each number of commands.
    fn run(&mut self, depth: usize) -> Result<Vec<usize>, Failure> {
        let start = World::new();
        self.seen.insert(self.keys.key(&start, self.detail));
        self.origins.push((0, None));
        let mut layer = vec![(start, 0)];
        self.deliver_all(&mut layer, true)?;
        let mut totals = vec![self.seen.len()];
        for commands in 1..=depth {
            let mut next = Vec::new();
            for (world, origin) in &layer {
                for step in world.commands() {
                    next.extend(self.follow(world, *origin, step)?);
                    if commands == depth {
                        // Nothing follows from the last ones: they need not be kept.
                        self.deliver_all(&mut next, false)?;
                        next.clear();
                    }
                }
            }
            self.deliver_all(&mut next, true)?;
            layer = next;
            totals.push(self.seen.len());
        }
        let before = [0].into_iter().chain(totals.iter().copied());
        Ok(totals
            .iter()
            .zip(before)
            .map(|(total, before)| total - before)
            .collect())
    }

    /// Goes on from these worlds by whatever becomes of messages, and adds the worlds that it leads to; or only goes there.
    fn deliver_all(&mut self, worlds: &mut Vec<Place>, keep: bool) -> Result<(), Failure> {
        let mut waiting: VecDeque<Place> = worlds.drain(..).collect();
        while let Some((world, origin)) = waiting.pop_front() {
            for step in world.deliveries() {
                waiting.extend(self.follow(&world, origin, step)?);
            }
            if keep {
                worlds.push((world, origin));
            }
        }
        Ok(())
    }

    /// Takes a step, and says where it leads if nobody has been there.
    fn follow(&mut self, world: &World, origin: u32, step: Step) -> Result<Option<Place>, Failure> {
        let mut next = world.clone();
        let fail = |search: &Self, promise| Failure {
            promise,
            steps: search.way_to(origin, step),
        };
        next.take(self.rules, step)
            .map_err(|promise| fail(self, promise))?;
        let erased = next.inviting.members.low.erased || next.inviting.members.high.erased;
        let inside = self.watched == Watched::Everything;
        if inside && next.known_to() < world.known_to() && !erased {
            return Err(fail(self, Broken("what is known grows no older")));
        }
        if self.detail == Detail::Merged {
            next.drop_dead_answers();
        }
        if !self.seen.insert(self.keys.key(&next, self.detail)) {
            return Ok(None);
        }
        next.check_always()
            .and_then(|()| if inside { next.check_copy() } else { Ok(()) })
            .map_err(|promise| fail(self, promise))?;
        next.check_at_rest(self.rules)
            .map_err(|promise| fail(self, promise))?;
        let place = u32::try_from(self.origins.len()).unwrap();
        self.origins.push((origin, Some(step)));
        Ok(Some((next, place)))
    }

    fn way_to(&self, origin: u32, last: Step) -> Vec<Step> {
        let mut steps = vec![last];
        let mut place = origin;
        while let (from, Some(step)) = self.origins[place as usize] {
            steps.push(step);
            place = from;
        }
        steps.reverse();
        steps
    }
}

/// The steps in words, and how many of them are commands.
fn retell(rules: &dyn Rules, steps: &[Step]) -> (usize, Vec<String>) {
    let mut world = World::new();
    let mut commands = 0;
    let mut trace = Vec::new();
    for step in steps {
        commands += usize::from(world.commands().contains(step));
        trace.push(world.describe(*step));
        let _ = world.take(rules, *step);
    }
    (commands, trace)
}
