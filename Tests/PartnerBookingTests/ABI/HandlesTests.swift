import Testing

@testable import PartnerBooking
@testable import PartnerBookingABI

@Suite struct HandlesTests {
    private func openClient() throws -> PartnerBookingClient {
        try PartnerBookingClient(json: Array(#"{"endpoint":"sandbox"}"#.utf8))
    }

    private func addClient() throws -> UInt { UInt(bitPattern: Handles.add(try openClient())) }

    /// What looking a handle up, and closing it, says of it.
    private func codes(_ handle: UInt) -> [PartnerBookingError.Code?] {
        let pointer = OpaquePointer(bitPattern: handle)
        let lookUp = #expect(throws: PartnerBookingError.self) { try Handles.client(pointer) }
        let removal = #expect(throws: PartnerBookingError.self) { try Handles.close(pointer, timeoutMilliseconds: 0) }
        return [lookUp?.code, removal?.code]
    }

    @Test func findsWhatWasAdded() throws {
        let (first, second) = (try openClient(), try openClient())
        let (one, two) = (try #require(Handles.add(first)), try #require(Handles.add(second)))
        #expect(one != two)
        for _ in 0..<3 {
            #expect(try Handles.client(one) === first)
            #expect(try Handles.client(two) === second)
        }
        #expect(try Handles.close(one, timeoutMilliseconds: 0) == 0)
        #expect(try Handles.client(two) === second)
        #expect(try Handles.close(two, timeoutMilliseconds: 0) == 0)
    }

    @Test(arguments: [0, 1, 8, 16, 0x7FFF_FFFF_F000, 0xDEAD_BEEF, UInt.max, UInt.max - 15, UInt.max / 2, 0xB00C << 48])
    func neverGivenOut(_ handle: UInt) {
        #expect(codes(handle) == [.invalidClient, .invalidClient])
    }

    @Test func pointersOfTheHostAreNoHandles() {
        withUnsafePointer(to: 7) { pointer in
            #expect(codes(UInt(bitPattern: pointer)) == [.invalidClient, .invalidClient])
        }
    }

    @Test func neighboursAreNoHandles() throws {
        let handle = try addClient()
        for distance in [1, 2, 4, 8, 15, 1 << 40, 1 << 62] as [UInt] {
            #expect(codes(handle &+ distance) == [.invalidClient, .invalidClient], "\(distance) above")
        }
        #expect(codes(handle - 1) == [.invalidClient, .invalidClient])
        #expect(codes(handle - 8) == [.invalidClient, .invalidClient])
        _ = try Handles.close(OpaquePointer(bitPattern: handle), timeoutMilliseconds: 0)
    }

    @Test func closedHandleStaysClosed() throws {
        let handle = try addClient()
        _ = try Handles.close(OpaquePointer(bitPattern: handle), timeoutMilliseconds: 0)
        #expect(codes(handle) == [.clientClosed, .clientClosed])
        let next = Handles.add(try openClient())
        #expect(codes(handle) == [.clientClosed, .clientClosed])
        _ = try Handles.close(next, timeoutMilliseconds: 0)
        #expect(codes(handle) == [.clientClosed, .clientClosed])
    }

    @Test func noHandleIsGivenTwice() throws {
        let client = try openClient()
        let handles = Monitor<[UInt]>([])
        onThreads(8) { _ in
            for _ in 0..<200 {
                let handle = Handles.add(client)
                handles.withLock { $0.append(UInt(bitPattern: handle)) }
                _ = try? Handles.close(handle, timeoutMilliseconds: 0)
            }
        }
        let all = handles.withLock { $0 }
        #expect(all.count == 1_600)
        #expect(Set(all).count == all.count)
        #expect(!all.contains(0))
        // A host that dereferences one finds out: no such address can be mapped.
        #expect(all.allSatisfy { (0x8000_0000_0000...0xFFFF_7FFF_FFFF_FFFF).contains($0) })
    }

    @Test func oneOfManyClosersGetsTheClient() throws {
        for _ in 0..<20 {
            let handle = try addClient()
            let (taken, refused) = (Counter(), Counter())
            onThreads(8) { _ in
                do throws(PartnerBookingError) {
                    _ = try Handles.close(OpaquePointer(bitPattern: handle), timeoutMilliseconds: 0)
                    taken.increment()
                } catch {
                    if error.code == .clientClosed { refused.increment() }
                }
            }
            #expect(taken.value == 1)
            #expect(refused.value == 7)
        }
    }

    @Test func tableKeepsNoClosedClient() throws {
        weak var weakly: PartnerBookingClient?
        do {
            let client = try openClient()
            weakly = client
            _ = try Handles.close(Handles.add(client), timeoutMilliseconds: 0)
        }
        #expect(weakly == nil)
    }
}
