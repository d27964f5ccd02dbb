//! Sets of values that stand in for the defaults. Give both services the same one.

use service_kit::config::Preset;

/// Strict, as the largest network is known to be.
pub(super) const LINKEDIN: Preset = Preset {
    name: "linkedin",
    meaning: "as members of a large professional network know it",
    values: "limits.connections_max = 30000\n",
};

/// Generous.
pub(super) const OPEN: Preset = Preset {
    name: "open",
    meaning: "for a network whose members know each other, such as a company or a club: more connections",
    values: "limits.connections_max = 100000\n",
};
