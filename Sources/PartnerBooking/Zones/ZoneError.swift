/// The reason why a time zone cannot be used. A caller of the library gets
/// `unknown_time_zone`.
struct ZoneError: Error, Equatable {
    /// One sentence for a log: what is wrong and what was found.
    let message: String

    init(_ message: String) { self.message = message }

    /// Returns the error with the place of the fault in front of its message.
    func at(_ place: String) -> ZoneError { ZoneError("\(place): \(message)") }
}
