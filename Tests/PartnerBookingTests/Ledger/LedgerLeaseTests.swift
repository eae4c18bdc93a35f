import Testing

@testable import PartnerBooking

/// Until when a client may send, and when it takes a key over.
@Suite struct LedgerLeaseTests {
    private static func claims(_ lease: LedgerLease) -> [String] { lease.all.map { "\($0.key) \($0.claim)" }.sorted() }

    @Test func itLastsAFifthLessThanTheStoreHasIt() {
        var lease = LedgerLease(milliseconds: 10_000)
        #expect(lease.isEmpty && lease.end == nil && lease.all.isEmpty)
        lease.claimed("a", "c1", begin: 1_000)
        #expect(!lease.isEmpty && lease.end == 8_001_000 && lease.claim(of: "a") == "c1")
        #expect(lease.claim(of: "b") == nil)
    }

    @Test func theOldestCounts() {
        var lease = LedgerLease(milliseconds: 10_000)
        lease.claimed("a", "c1", begin: 5_000)
        lease.claimed("b", "c2", begin: 9_000)
        #expect(lease.end == 8_005_000)
        lease.claimed("c", "c3", begin: 2_000)
        #expect(lease.end == 8_002_000)
        // The next renewal brings the others' back.
        lease.release("c")
        #expect(lease.end == 8_002_000)
        #expect(lease.renewed(lease.all, lost: [], begin: 20_000) == [])
        #expect(lease.end == 8_020_000)
    }

    @Test func aNewClaimReplacesTheOldOne() {
        var lease = LedgerLease(milliseconds: 10_000)
        lease.claimed("a", "c1", begin: 1_000)
        lease.claimed("a", "c2", begin: 7_000)
        #expect(Self.claims(lease) == ["a c2"] && lease.end == 8_007_000)
        lease.release("a", "c1")
        #expect(lease.claim(of: "a") == "c2", "it is another one's")
        lease.release("a", "c2")
        #expect(lease.isEmpty && lease.end == nil)
    }

    @Test func aReleaseOfAnUnknownKeyChangesNothing() {
        var lease = LedgerLease(milliseconds: 10_000)
        lease.release("a")
        #expect(lease.end == nil)
        lease.claimed("a", "c1", begin: 1_000)
        lease.release("b")
        lease.release("b", "c1")
        #expect(lease.claim(of: "a") == "c1" && lease.end == 8_001_000)
    }

    @Test func aRenewalIsAboutTheClaimsThatItNames() {
        var lease = LedgerLease(milliseconds: 10_000)
        lease.claimed("a", "c1", begin: 1_000)
        lease.claimed("b", "c2", begin: 2_000)
        lease.claimed("c", "c3", begin: 3_000)
        let asked = lease.all
        lease.claimed("b", "c4", begin: 4_000)
        lease.release("c")
        lease.claimed("d", "c5", begin: 5_000)
        #expect(lease.renewed(asked, lost: ["a", "b", "c", "x"], begin: 9_000).map(\.key) == ["a"])
        #expect(Self.claims(lease) == ["b c4", "d c5"])
        #expect(lease.end == 8_001_000, "until the next renewal")
        #expect(lease.renewed(asked, lost: ["b"], begin: 9_000).isEmpty, "a double answer")
    }

    @Test func withoutKeysThereIsNoEnd() {
        var lease = LedgerLease(milliseconds: 10_000)
        lease.claimed("a", "c1", begin: 1_000)
        #expect(lease.renewed(lease.all, lost: ["a"], begin: 2_000).map(\.key) == ["a"])
        #expect(lease.isEmpty && lease.end == nil)
        lease.claimed("b", "c2", begin: 90_000)
        #expect(lease.end == 8_090_000, "the old end does not count")
    }

    // MARK: Takeovers

    @Test func aKeyIsTakenOverMoreAndMoreSeldom() {
        var schedule = TakeoverSchedule()
        var now = MonotonicTime(nanoseconds: 1)
        for pause in [60_000, 120_000, 240_000, 480_000, 600_000, 600_000] {
            #expect(schedule.admit("a", now) == true)
            #expect(schedule.admit("a", now) == false)
            now = now.adding(milliseconds: pause - 1)
            #expect(schedule.admit("a", now) == false)
            now = now.adding(milliseconds: 1)
        }
        #expect(schedule.admit("b", now) == true, "each key for itself")
    }

    @Test func manyKeysDoNotStayForEver() {
        var schedule = TakeoverSchedule()
        let start = MonotonicTime(nanoseconds: 1)
        for number in 0..<10_000 { #expect(schedule.admit("\(number)", start) == true) }
        let later = start.adding(milliseconds: 60_000)
        #expect(schedule.admit("new", later) == true)
        // The others were forgotten: their pause begins anew.
        #expect(schedule.admit("0", later) == true)
        #expect(schedule.admit("0", later.adding(milliseconds: 60_000)) == true)
    }
}
