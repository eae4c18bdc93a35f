extension Int {
    /// Calls `body` with each decimal digit of the number. A minus sign comes first if it is
    /// negative.
    @inline(__always)
    func forEachDigit(_ body: (UInt8) -> Void) {
        if self < 0 { body(UInt8(ascii: "-")) }
        var unit: UInt = 1
        while magnitude / unit > 9 { unit *= 10 }
        while unit > 0 {
            body(UInt8(ascii: "0") + UInt8(truncatingIfNeeded: magnitude / unit % 10))
            unit /= 10
        }
    }
}
