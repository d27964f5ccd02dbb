//! The pages of `docs/` that follow from the code.

/// How the page of the configuration begins.
const BEGINNING: &str = "\
# Configuration

Written from the code by `make docs`; do not edit it.

Every key can be given in a file, in the environment and as a flag. Its path in the file is `limits.weekly_cap`, its variable `ACQUAINT_LIMITS_WEEKLY_CAP`, its flag
`--limits-weekly-cap`. A flag beats the environment, which beats the file, which beats the preset, which beats the default. The file is TOML; `--config FILE` or
`ACQUAINT_CONFIG_FILE` names it, and without either none is read. Nothing is read again while the service runs.

- Everything is checked together at the start. A mistake ends the service; all of them are told, each with its key, where it was given, and the rule that it breaks. So is a key in the
  file, or a flag, that the service does not have. A *warning* is logged for what is legal but risky.
- A variable that begins with `ACQUAINT_` and is no key is left alone, since both services may share an environment. If it is almost a key, a warning says so.
- `check-config` says what is wrong or risky and fails if anything is wrong. `print-config` prints what is in force as a file, each value with where it came from. `healthcheck` asks the service that
  runs with this configuration whether it serves. `--help` lists every flag.
- `preset` (`ACQUAINT_PRESET`, `--preset`) says which set of values the defaults are taken from.
- A whole number has no quotes in the file, a text has them. An empty text stands for nothing where the default is `\"\"`.
- Sets under names of your own (`[NAME]` in a heading) can be given in the file and in the environment, not as flags.

";

/// `docs/configuration.md`.
pub fn configuration() -> String {
    let invitation = invitation_service::Config::schema().reference();
    let connection = connection_service::Config::schema().reference();
    format!("{BEGINNING}{invitation}\n{connection}")
}
