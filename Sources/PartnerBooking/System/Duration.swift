/// Conversions to the library's whole numbers, as in its JSON. Swift programs give and get
/// `Duration`.
extension Duration {
    /// In whole milliseconds, rounded away from zero. Then a wait does not end too early, and a
    /// short time does not become 0, which often means "never".
    var wholeMilliseconds: Int {
        let (seconds, attoseconds) = bounded.components
        let part = attoseconds.quotientAndRemainder(dividingBy: 1_000_000_000_000_000)
        return Int(seconds) * 1_000 + Int(part.quotient + part.remainder.signum())
    }

    /// In whole seconds, rounded away from zero.
    var wholeSeconds: Int {
        let (seconds, attoseconds) = bounded.components
        return Int(seconds + attoseconds.signum())
    }

    /// In whole minutes, rounded away from zero.
    var wholeMinutes: Int {
        let part = wholeSeconds.quotientAndRemainder(dividingBy: 60)
        return part.quotient + part.remainder.signum()
    }

    /// The duration within a range whose milliseconds fit into an `Int`. `components` traps on
    /// more seconds than an `Int64` holds.
    private var bounded: Duration {
        let limit = Duration.seconds(9_000_000_000_000_000)
        return min(max(self, .zero - limit), limit)
    }
}
