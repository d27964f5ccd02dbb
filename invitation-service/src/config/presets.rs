//! Sets of values that stand in for the defaults. Give both services the same one.

use service_kit::config::Preset;

/// Strict, as the largest network is known to be.
pub(super) const LINKEDIN: Preset = Preset {
    name: "linkedin",
    meaning: "as members of a large professional network know it: whoever withdraws waits three weeks before inviting the same member again, and \
              trusted members with a premium plan may send more",
    values: "
[limits]
weekly_cap = 100
pending_sent_max = 1500
connections_max = 30000

[invitation]
lifetime_days = 180

[decline]
cooldown_days = 21

[resend]
cooldown_after_withdraw_days = 21

[plans.premium]
weekly_cap = 200
pending_sent_max = 3000
",
};

/// Generous.
pub(super) const OPEN: Preset = Preset {
    name: "open",
    meaning: "for a network whose members know each other, such as a company or a club: generous limits and a short wait after a decline",
    values: "
[limits]
weekly_cap = 1000
pending_sent_max = 10000
pending_received_soft_max = 50000
connections_max = 100000
probe_refusals_max = 200

[standing]
new_weekly_cap = 500
normal_weekly_cap = 1000
trusted_weekly_cap = 1000
limited_weekly_cap = 100
pending_sent_max = 10000
trusted_pending_sent_max = 10000

[decline]
cooldown_days = 7
",
};
