import Glibc
import PartnerBooking

/// The table behind `pbk_client *`. A handle is a number that is looked up and never
/// dereferenced. No number is used twice, so a stale handle cannot find another client.
enum Handles {
    private struct Table {
        /// Base of all handles. It is not a canonical address on a 64-bit machine, so a handle
        /// never equals a real pointer. A host that dereferences it by mistake crashes at once.
        /// Random bits make the handles of a second copy of this library foreign to this copy.
        let base = 0xB00C << 48 | UInt.random(in: 0..<1 << 24) << 24
        private(set) var clients: [UInt: PartnerBookingClient] = [:]
        /// The client of the last look-up. Saves the dictionary's hash, because most processes
        /// have one client.
        private var last: (handle: UInt, client: PartnerBookingClient)?
        /// Queues of closed clients with completions that the host has not taken yet.
        var leftovers: [UInt: CompletionQueue] = [:]
        /// Clients that are closing. Their ledgers still get answers.
        var closing: [UInt: PartnerBookingClient] = [:]
        /// The parent's clients by handle, in the child of a fork.
        var leftBehind: [UInt: PartnerBookingClient] = [:]
        var issued: UInt = 0

        mutating func client(_ handle: UInt) -> PartnerBookingClient? {
            if let last, last.handle == handle { return last.client }
            guard let client = clients[handle] else { return nil }
            last = (handle, client)
            return client
        }

        mutating func insert(_ client: PartnerBookingClient, _ handle: UInt) { clients[handle] = client }

        mutating func remove(_ handle: UInt) -> PartnerBookingClient? {
            last = nil
            return clients.removeValue(forKey: handle)
        }

        mutating func leaveBehind() {
            leftBehind.merge(clients) { first, _ in first }
            (clients, last) = ([:], nil)
            leftovers = [:]
            closing = [:]
        }

        /// Returns the error for a handle that is not in the table. Its client is the
        /// parent's, or it was issued and is closed, or this table never issued it.
        func error(_ handle: UInt) -> PartnerBookingError {
            if leftBehind[handle] != nil { return .clientOfParent }
            let distance = handle &- base
            let wasIssued = distance % step == 0 && distance / step >= 1 && distance / step <= issued
            return wasIssued ? .clientClosed : .invalidClient
        }
    }

    private static let table: Monitor<Table> = {
        // In the child of a fork, the clients have no threads, so their handles are closed
        // there. The clients are kept, because ending them would wait for those threads.
        pthread_atfork(
            { Handles.table.lockForFork() },
            { Handles.table.unlockAfterFork(inChild: false) },
            {
                Handles.table.unlockAfterFork(inChild: true) { $0.leaveBehind() }
            })
        return Monitor(Table())
    }()

    private static let step: UInt = 16

    /// Registers the fork handlers. Must be called before the first client is made.
    ///
    /// Fork handlers run in reverse order, so the client's handler runs before the table is
    /// locked. It waits for transfer threads, which may be in a callback that needs the table.
    static func prepareForForks() { _ = table }

    /// Adds a client and returns its handle. `ledger` gets the handle first.
    static func add(_ client: PartnerBookingClient, _ ledger: LedgerHandle? = nil) -> OpaquePointer? {
        let handle = table.withLock { table in
            table.issued += 1
            let handle = table.base &+ table.issued &* step
            table.insert(client, handle)
            return handle
        }
        ledger?.set(handle)
        return OpaquePointer(bitPattern: handle)
    }

    static func client(_ pointer: OpaquePointer?) throws(PartnerBookingError) -> PartnerBookingClient {
        try table.withLock { table throws(PartnerBookingError) in
            let handle = UInt(bitPattern: pointer)
            guard let client = table.client(handle) else { throw table.error(handle) }
            return client
        }
    }

    /// Returns the client, even while it is closing.
    static func ledgerClient(_ pointer: OpaquePointer?) throws(PartnerBookingError) -> PartnerBookingClient {
        try table.withLock { table throws(PartnerBookingError) in
            let handle = UInt(bitPattern: pointer)
            guard let client = table.client(handle) ?? table.closing[handle] else { throw table.error(handle) }
            return client
        }
    }

    /// Returns the completions of a client. For a closed client, returns those not taken yet.
    /// `canWait` is false in a callback.
    static func completions(
        _ pointer: OpaquePointer?
    ) throws(PartnerBookingError) -> (queue: CompletionQueue, canWait: Bool) {
        try table.withLock { table throws(PartnerBookingError) in
            let handle = UInt(bitPattern: pointer)
            if let client = table.client(handle) { return (client.completions, !client.isOnOwnThread) }
            guard let queue = table.leftovers[handle] else { throw table.error(handle) }
            return (queue, !PartnerBookingClient.isCallbackThread)
        }
    }

    /// Forgets the queue of a closed client after its last completion was taken.
    static func forget(_ pointer: OpaquePointer?) {
        table.withLock { $0.leftovers[UInt(bitPattern: pointer)] = nil }
    }

    /// Closes a client and returns the number of calls that had to be ended. The handle is
    /// closed from the start.
    static func close(_ pointer: OpaquePointer?, timeoutMilliseconds: Int) throws(PartnerBookingError) -> Int {
        if PartnerBookingClient.isCallbackThread { throw .wouldDeadlock }
        let handle = UInt(bitPattern: pointer)
        let client = try table.withLock { table throws(PartnerBookingError) in
            guard let client = table.client(handle) else { throw table.error(handle) }
            guard !client.isOnOwnThread else { throw .wouldDeadlock }
            _ = table.remove(handle)
            table.leftovers[handle] = client.completions
            table.closing[handle] = client
            return client
        }
        defer {
            table.withLock { $0.closing[handle] = nil }
            if client.completions.isDrained { forget(pointer) }
        }
        return try client.close(timeout: .milliseconds(timeoutMilliseconds))
    }
}

/// The handle of a client that is being opened. Its ledger's thread may need the handle before
/// `pbk_client_open_with_ledger` returns.
final class LedgerHandle: Sendable {
    private let handle = Monitor<UInt?>(nil)

    /// The handle. Waits until the client has it.
    var value: UInt { handle.wait { $0 } }

    func set(_ value: UInt) { handle.update { $0 = value } }
}
