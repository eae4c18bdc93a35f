/// The time zone of the sandbox's clinic.
enum SandboxZone: Sendable {
    /// Minutes east of UTC.
    case fixed(Int)
    case named(Zone)

    static let utc = SandboxZone.fixed(0)

    /// In minutes east of UTC. A reply has no seconds in an offset, and zones have none since 1972.
    func offsetMinutes(at instant: Int) -> Int {
        switch self {
        case .fixed(let minutes): minutes
        case .named(let zone): zone.offset(at: instant).flooringDivision(by: 60)
        }
    }

    /// Days since 1970-01-01 on the clinic's calendar.
    func day(at instant: Int) -> Int {
        switch self {
        case .fixed(let minutes): (instant + minutes * 60).flooringDivision(by: 86_400)
        case .named(let zone): (instant + zone.offset(at: instant)).flooringDivision(by: 86_400)
        }
    }

    /// Returns when the clinic's clock shows so many minutes after midnight for the first time, or is put forward over it.
    func instant(day: Int, minute: Int) -> Int {
        switch self {
        case .fixed(let minutes): day * 86_400 + (minute - minutes) * 60
        case .named(let zone): zone.instant(day: day, minute: minute)
        }
    }

    func startOfDay(_ day: Int) -> Int { instant(day: day, minute: 0) }
}
