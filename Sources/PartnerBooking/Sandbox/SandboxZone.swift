/// The time zone of the sandbox's clinic.
enum SandboxZone: Sendable {
    /// A fixed offset in minutes east of UTC.
    case fixed(Int)
    case named(Zone)

    static let utc = SandboxZone.fixed(0)

    /// Returns the offset in minutes east of UTC. Offsets in replies have no seconds, and zones
    /// have had none since 1972.
    func offsetMinutes(at instant: Int) -> Int {
        switch self {
        case .fixed(let minutes): minutes
        case .named(let zone): zone.offset(at: instant).flooringDivision(by: 60)
        }
    }

    /// Returns days since 1970-01-01 on the clinic's calendar.
    func day(at instant: Int) -> Int {
        switch self {
        case .fixed(let minutes): (instant + minutes * 60).flooringDivision(by: 86_400)
        case .named(let zone): (instant + zone.offset(at: instant)).flooringDivision(by: 86_400)
        }
    }

    /// Returns the first instant at which the clinic's clock shows `minute` minutes after
    /// midnight. If the clock is put forward over that time, returns the instant of the change.
    func instant(day: Int, minute: Int) -> Int {
        switch self {
        case .fixed(let minutes): day * 86_400 + (minute - minutes) * 60
        case .named(let zone): zone.instant(day: day, minute: minute)
        }
    }

    func startOfDay(_ day: Int) -> Int { instant(day: day, minute: 0) }
}
