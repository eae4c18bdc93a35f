import Testing

@testable import PartnerBooking

@Suite struct CompletionWaitersTests {
    private let waiters = CompletionWaiters()

    private func result(_ end: CompletionWaiter.End?) -> [UInt8]? {
        guard case .done(.success(let reply))? = end?.event else { return nil }
        return reply
    }

    @Test func oneWaiterServesOneCallAfterAnother() {
        let waiter = waiters.borrow()
        for number in UInt8(0)..<10 {
            waiter.complete(.slow, nil)
            waiter.complete(.done(.success([number])), nil)
            #expect(result(waiters.wait(waiter, until: .now().adding(milliseconds: 5_000))) == [number])
            #expect(waiters.borrow() === waiter)
        }
    }

    /// Its end may still come: another call must not get it.
    @Test func aWaiterThatWasLeftIsNotUsedAgain() {
        let waiter = waiters.borrow()
        #expect(waiters.wait(waiter, until: .now()) == nil)
        waiter.complete(.done(.success([1])), nil)
        let other = waiters.borrow()
        #expect(other !== waiter)
        #expect(waiters.wait(other, until: .now()) == nil)
    }

    @Test func callsAtOnceHaveWaitersOfTheirOwn() {
        let taken = (0..<3).map { _ in waiters.borrow() }
        #expect(Set(taken.map(ObjectIdentifier.init)).count == 3)
        for (number, waiter) in taken.enumerated() { waiter.complete(.done(.success([UInt8(number)])), nil) }
        for (number, waiter) in taken.enumerated().reversed() {
            #expect(result(waiters.wait(waiter, until: .now().adding(milliseconds: 5_000))) == [UInt8(number)])
        }
    }
}
