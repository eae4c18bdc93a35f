import Glibc
import PartnerBooking

/// The table behind `pbk_client *`. A handle is a number that is looked up and never dereferenced, and no number is given
/// twice, so that a stale handle cannot meet another client.
enum Handles {
    private struct Table {
        /// No canonical address on a 64-bit machine: a handle meets no real pointer, and a host that dereferences one by mistake
        /// finds out at once. By chance, so that the handles of a second copy of this library in the process are foreign to it.
        let base = 0xB00C << 48 | UInt.random(in: 0..<1 << 24) << 24
        private(set) var clients: [UInt: PartnerBookingClient] = [:]
        /// The client of the last look-up. Most processes have one client, and a dictionary costs a hash.
        private var last: (handle: UInt, client: PartnerBookingClient)?
        /// Queues of closed clients with completions that nobody has taken yet.
        var leftovers: [UInt: CompletionQueue] = [:]
        /// Clients that are closing: their ledgers still get answers.
        var closing: [UInt: PartnerBookingClient] = [:]
        /// In the child of a fork: the parent's clients, by handle.
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

        /// Why a handle is not in the table: its client is the parent's, it was given out once and is closed, or it never
        /// came from here.
        func error(_ handle: UInt) -> PartnerBookingError {
            if leftBehind[handle] != nil { return .clientOfParent }
            let distance = handle &- base
            let wasIssued = distance % step == 0 && distance / step >= 1 && distance / step <= issued
            return wasIssued ? .clientClosed : .invalidClient
        }
    }

    private static let table: Monitor<Table> = {
        // In the child of a fork the clients have no threads: their handles are closed there. They are kept, since ending them
        // would mean waiting for those threads.
        pthread_atfork(
            { Handles.table.lockForFork() },
            { Handles.table.unlockAfterFork(inChild: false) },
            {
                Handles.table.unlockAfterFork(inChild: true) { $0.leaveBehind() }
            })
        return Monitor(Table())
    }()

    private static let step: UInt = 16

    /// To be called before the first client is made. Fork handlers run in reverse order, and the client's come to wait for the
    /// transfer threads: those may be in a callback that needs the table.
    static func prepareForForks() { _ = table }

    /// `ledger`: gets the handle before anybody else.
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

    /// The client, also while it is closing.
    static func ledgerClient(_ pointer: OpaquePointer?) throws(PartnerBookingError) -> PartnerBookingClient {
        try table.withLock { table throws(PartnerBookingError) in
            let handle = UInt(bitPattern: pointer)
            guard let client = table.client(handle) ?? table.closing[handle] else { throw table.error(handle) }
            return client
        }
    }

    /// The completions of a client, and of a closed one what nobody has taken yet.
    static func completions(_ pointer: OpaquePointer?) throws(PartnerBookingError) -> CompletionQueue {
        try table.withLock { table throws(PartnerBookingError) in
            let handle = UInt(bitPattern: pointer)
            if let client = table.client(handle) { return client.completions }
            guard let queue = table.leftovers[handle] else { throw table.error(handle) }
            return queue
        }
    }

    /// The last completion of a closed client was taken.
    static func forget(_ pointer: OpaquePointer?) {
        table.withLock { $0.leftovers[UInt(bitPattern: pointer)] = nil }
    }

    /// Closes a client. Its handle is closed from the start; returns how many calls had to be ended.
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

/// The handle of a client that is being opened. Its ledger's thread may need it before
/// `pbk_client_open_with_ledger` returns.
final class LedgerHandle: Sendable {
    private let handle = Monitor<UInt?>(nil)

    /// Waits until the client has its handle.
    var value: UInt { handle.wait { $0 } }

    func set(_ value: UInt) { handle.update { $0 = value } }
}
