import Testing

@testable import PartnerBooking

@Suite struct RetryAfterTests {
    private static let now = 784_111_777  // Sun, 06 Nov 1994 08:49:37 GMT

    @Test(arguments: [
        ("0", 0), ("1", 1_000), ("120", 120_000), ("007", 7_000), (" 5 ", 5_000), ("86400", 86_400_000),
        // More than a day is a day; the clamp also keeps any number of digits from overflowing.
        ("86401", 86_400_000), ("99999999999999999999999999", 86_400_000), ("9223372036854775807", 86_400_000),
    ])
    func secondsAreRead(_ header: String, _ milliseconds: Int) {
        #expect(RetryAfter.milliseconds(header, wallClock: Self.now) == milliseconds)
    }

    @Test(arguments: [
        ("Sun, 06 Nov 1994 08:49:37 GMT", 0), ("Sun, 06 Nov 1994 08:49:38 GMT", 1_000),
        ("Sun, 06 Nov 1994 08:50:37 GMT", 60_000),
        ("Sun, 06 Nov 1994 08:49:36 GMT", 0), ("Thu, 01 Jan 1970 00:00:00 GMT", 0),
        ("Mon, 07 Nov 1994 08:49:37 GMT", 86_400_000),
        ("Mon, 07 Nov 1994 08:49:38 GMT", 86_400_000), ("Fri, 31 Dec 9999 23:59:59 GMT", 86_400_000),
        ("  Sun,  06 Nov 1994 08:49:47 GMT ", 10_000),
    ])
    func aDateIsCountedFromNow(_ header: String, _ milliseconds: Int) {
        #expect(RetryAfter.milliseconds(header, wallClock: Self.now) == milliseconds)
    }

    @Test(arguments: [
        ("Sun, 06 Nov 1994 08:49:37 GMT", 784_111_777), ("Thu, 01 Jan 1970 00:00:00 GMT", 0),
        ("Tue, 29 Feb 2000 23:59:59 GMT", 951_868_799),
        ("Mon, 14 Jan 2030 09:00:00 GMT", 1_894_611_600), ("Sat, 31 Dec 2016 23:59:60 GMT", 1_483_228_800),
        ("Fri, 31 Dec 9999 23:59:59 GMT", 253_402_300_799),
    ])
    func anHTTPDateIsRead(_ text: String, _ seconds: Int) { #expect(RetryAfter.httpDate(text) == seconds) }

    @Test(
        arguments: Array(
            zip(
                ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"],
                [0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334])))
    func everyMonthIsKnown(_ month: String, _ days: Int) {
        #expect(RetryAfter.httpDate("Sun, 01 \(month) 1970 00:00:00 GMT") == days * 86_400)
    }

    @Test(arguments: [
        "", " ", "soon", "-1", "+1", "1.5", "1e3", "0x10", "1 2", "5s", "5,", "٥", "1\u{0}",
        "Sun, 06 Nov 1994 08:49:37", "Sun, 06 Nov 1994 08:49:37 UTC", "Sun, 06 Nov 1994 08:49:37 +0000",
        "Sun, 06 Nov 1994 08:49:37 gmt",
        "06 Nov 1994 08:49:37 GMT", "Sun 06 Nov 1994 08:49:37 GMT", "Sun, 6 Nov 1994 08:49:37 GMT",
        "Sun, 006 Nov 1994 08:49:37 GMT",
        "Sun, 00 Nov 1994 08:49:37 GMT", "Sun, 31 Nov 1994 08:49:37 GMT", "Tue, 29 Feb 1900 00:00:00 GMT",
        "Wed, 29 Feb 2023 00:00:00 GMT",
        "Sun, 06 nov 1994 08:49:37 GMT", "Sun, 06 November 1994 08:49:37 GMT", "Sun, 06 11 1994 08:49:37 GMT",
        "Sun, 06 Nov 94 08:49:37 GMT", "Sun, 06 Nov 1969 08:49:37 GMT", "Sun, 06 Nov 19940 08:49:37 GMT",
        "Sun, 06 Nov 1994 24:00:00 GMT", "Sun, 06 Nov 1994 08:60:37 GMT", "Sun, 06 Nov 1994 08:49:61 GMT",
        "Sun, 06 Nov 1994 8:49:37 GMT",
        "Sun, 06 Nov 1994 08:49 GMT", "Sun, 06 Nov 1994 08:49:37:00 GMT", "Sun, 06 Nov 1994 08:49: GMT",
        "Sun, 06 Nov 1994 08::37 GMT",
        "Sun, 06 Nov 1994 :08:49:37 GMT", "Sun, 06 Nov 1994 xx:49:37 GMT", "Sun, 06 Nov 1994 -1:49:37 GMT",
        // A sign is no digit.
        "Sun, +6 Nov 1994 08:49:37 GMT", "Sun, 06 Nov 1994 +8:49:37 GMT", "Sun, 06 Nov 1994 08:+9:37 GMT",
        "Sun, 06 Nov 1994 08:49:+7 GMT",
        "Sun, 06 Nov 1994 08:49:-0 GMT", "Sun, 06 Nov 1994 -0:49:37 GMT",
        // The two obsolete forms.
        "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994",
    ])
    func anythingElseMakesNoSense(_ header: String) {
        #expect(RetryAfter.milliseconds(header, wallClock: Self.now - 60) == nil)
    }
}
