//! Random sequences of commands, on the service's decisions and on stores of every engine, against a naive model of the rules.
//!
//! A sequence that makes the two part is shrunk and printed as a list of commands. `ACQUAINT_MODEL_CASES` says how many sequences each of
//! the tests runs instead of the usual number; they are then drawn anew each time.

#[cfg(test)]
mod model {
    mod command;
    mod connections;
    mod differences;
    mod memory;
    mod rules;
    mod run;
    mod stored;
    mod stories;
    mod system;

    use std::{
        cell::{Cell, RefCell},
        collections::BTreeMap,
    };

    use acquaint_tests::engines::Engine;
    use invitation_service::domain::{
        plan::Limits,
        policy::Policy,
        standing::{Mode, StandingPolicy},
    };
    use proptest::test_runner::{Config, RngAlgorithm, TestCaseError, TestRng, TestRunner};
    use service_kit::{
        id::MemberId,
        time::{Span, Time},
    };

    use self::{
        command::{MEMBERS, PREMIUM},
        memory::Memory,
        run::{Tally, run},
        stored::Stored,
    };

    /// How many sequences are run on the service's decisions, under each of the [`policies`].
    const CASES: u32 = 10_000;

    /// How many are run on the embedded store, which takes longer.
    const CASES_IN_FILES: u32 = 1_000;

    /// How many are run on each kind of store on PostgreSQL, which takes longer still: each command is a commit of its own.
    const CASES_ON_A_SERVER: u32 = 80;

    /// How many sequences share a store in a file; each brings it years ahead.
    const CASES_PER_STORE: u32 = 250;

    /// When the first sequence of a store begins: no whole second, so that rounding shows.
    const START: Time = Time::from_millis(1_700_000_000_137);

    /// The numbers: so small that a few commands reach them.
    fn policies() -> [Policy; 2] {
        let premium = |weekly_cap| {
            let limits = Limits {
                weekly_cap,
                pending_sent_max: 3,
                pending_received_soft_max: 2,
            };
            BTreeMap::from([(PREMIUM.to_owned(), limits)])
        };
        // Outcomes are counted; what is concluded from them is not what these sequences are about.
        let shadow = StandingPolicy {
            mode: Mode::Shadow,
            ..StandingPolicy::default()
        };
        let small = Policy {
            plans: premium(5),
            weekly_cap: 3,
            pending_sent_max: 2,
            pending_received_soft_max: 1,
            connections_max: 1,
            probe_refusals_max: 2,
            standing: shadow.clone(),
            ..Policy::default()
        };
        let with_cooldown = Policy {
            // One that grants less of one thing and as much of the others.
            plans: premium(2),
            weekly_cap: 4,
            pending_sent_max: 3,
            pending_received_soft_max: 2,
            connections_max: 3,
            probe_refusals_max: 1,
            withdraw_cooldown: Span::days(21),
            standing: shadow,
            ..Policy::default()
        };
        [small, with_cooldown]
    }

    fn config(usual: u32) -> Config {
        let cases = std::env::var("ACQUAINT_MODEL_CASES").ok();
        Config {
            cases: cases.map_or(usual, |cases| cases.parse().unwrap()),
            failure_persistence: None,
            max_shrink_iters: 100_000,
            ..Config::default()
        }
    }

    /// Names of members that no sequence before had, in their order.
    fn names(case: u32) -> Vec<MemberId> {
        let name = |who: usize| format!("{case}-{who}");
        (0..MEMBERS)
            .map(|who| MemberId::parse(&name(who)).unwrap())
            .collect()
    }

    /// The same sequences every time, so that a change is judged by what it changes; others each time where the number was set.
    fn runner(cases: u32) -> TestRunner {
        if std::env::var_os("ACQUAINT_MODEL_CASES").is_some() {
            return TestRunner::new(config(cases));
        }
        let rng = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
        TestRunner::new_with_rng(config(cases), rng)
    }

    #[test]
    fn the_commands_do_what_the_rules_say() {
        let mut runner = runner(CASES);
        let tally = RefCell::new(Tally::new());
        let result = runner.run(&command::sequence(), |commands| {
            for policy in policies() {
                let mut system = Memory::new(policy);
                let ran = run(
                    &mut system,
                    &mut tally.borrow_mut(),
                    &names(0),
                    START,
                    &commands,
                );
                ran.map_err(TestCaseError::fail)?;
            }
            Ok(())
        });
        if let Err(parted) = result {
            panic!("{parted}");
        }
        let cases = runner.config().cases;
        let missing = command::ANSWERS
            .iter()
            .filter(|answer| !tally.borrow().contains_key(**answer));
        let missing: Vec<_> = missing.filter(|_| cases >= CASES).collect();
        assert!(
            missing.is_empty(),
            "answers that no sequence came to: {missing:?} of {tally:#?}"
        );
    }

    /// A store that is made anew after so many sequences.
    struct Shared {
        engine: Engine,
        system: Option<Stored>,
        time: Time,
        cases: u32,
        policy: usize,
        tally: Tally,
    }

    impl Shared {
        fn run(&mut self, case: u32, commands: &[command::Command]) -> Result<(), String> {
            if self.cases == CASES_PER_STORE {
                self.renew();
                self.policy = 1 - self.policy;
            }
            self.cases += 1;
            let [small, with_cooldown] = policies();
            let policy = if self.policy == 0 {
                small
            } else {
                with_cooldown
            };
            let system = self
                .system
                .get_or_insert_with(|| Stored::new(self.engine, policy));
            let ran = run(system, &mut self.tally, &names(case), self.time, commands);
            match ran {
                Ok(end) => self.time = end.plus(Span::millis(1_001)),
                // What the sequence left behind is not the next one's affair.
                Err(_) => self.renew(),
            }
            ran.map(|_| ())
        }

        fn renew(&mut self) {
            if let Some(system) = self.system.take() {
                system.close();
            }
            (self.time, self.cases) = (START, 0);
        }
    }

    fn a_store_does_what_the_rules_say(engine: Engine, cases: u32) {
        let shared = RefCell::new(Shared {
            engine,
            system: None,
            time: START,
            cases: 0,
            policy: 0,
            tally: Tally::new(),
        });
        let case = Cell::new(0);
        let mut runner = runner(cases);
        let result = runner.run(&command::sequence(), |commands| {
            case.set(case.get() + 1);
            let ran = shared.borrow_mut().run(case.get(), &commands);
            ran.map_err(TestCaseError::fail)
        });
        if let Err(parted) = result {
            panic!("{parted}");
        }
        shared.borrow_mut().renew();
    }

    #[test]
    fn the_embedded_store_does_what_the_rules_say() {
        a_store_does_what_the_rules_say(Engine::Sqlite, CASES_IN_FILES);
    }

    #[test]
    fn a_store_on_postgresql_does_what_the_rules_say() {
        a_store_does_what_the_rules_say(Engine::Postgres, CASES_ON_A_SERVER);
    }

    #[test]
    fn a_store_in_lanes_does_what_the_rules_say() {
        a_store_does_what_the_rules_say(Engine::PostgresInLanes, CASES_ON_A_SERVER);
    }
}
