import Glibc

@testable import PartnerBooking

/// A small HTTP/1.1 server on 127.0.0.1 for tests: it reads requests, and does with the connection what a script says.
///
/// One thread accepts, one more serves each connection. `stop` ends all of them, whatever they wait for.
final class LoopbackServer: Sendable {
    struct Request: Sendable {
        /// Which connection, in the order they were accepted, from 0.
        let connection: Int
        /// Which request of its connection, from 0.
        let number: Int
        /// Which request of all, from 0.
        let total: Int
        /// The request line and the headers.
        let head: String
        let body: [UInt8]

        func header(_ name: String) -> String? {
            let line = head.split(separator: "\r\n").first { $0.lowercased().hasPrefix(name.lowercased() + ": ") }
            return line.map { String($0.dropFirst(name.utf8.count + 2)) }
        }
    }

    /// What the server does with a connection.
    enum Step: Sendable {
        case send([UInt8])
        case pause(milliseconds: Int)
        /// Waits until the client or `stop` ends the connection.
        case stall
        /// Ends the connection in order.
        case cut
        /// Ends the connection with a reset.
        case reset
        /// Counts that it has come so far.
        case tell(Counter)

        /// A whole reply.
        static func reply(_ status: Int, _ body: [UInt8], _ headers: [String] = []) -> Step {
            .send(Self.head(status, ["Content-Length: \(body.count)"] + headers) + body)
        }

        static func head(_ status: Int, _ headers: [String]) -> [UInt8] {
            let lines = ["HTTP/1.1 \(status) Scripted", "Content-Type: application/json"] + headers + ["", ""]
            return Array(lines.joined(separator: "\r\n").utf8)
        }
    }

    typealias Script = @Sendable (Request) -> [Step]

    private struct State: Sendable {
        var connections = 0
        var ended = 0
        var requests: [Request] = []
        /// Of each connection, by its number, until it is joined.
        var threads: [Int: PartnerBooking.Thread] = [:]
        /// Connections that are over, whose threads wait to be joined.
        var over: [Int] = []
    }

    let port: Int
    private let listener: Int32
    private let stopping: EventDescriptor
    private let onConnect: @Sendable (Int) -> [Step]
    private let script: Script
    private let state = Monitor(State())
    private let acceptor = Monitor<PartnerBooking.Thread?>(nil)

    /// `onConnect` is done with each new connection before a request is read from it.
    init(onConnect: @escaping @Sendable (_ connection: Int) -> [Step] = { _ in [] }, _ script: @escaping Script) throws {
        (listener, port) = try Socket.listener()
        stopping = try EventDescriptor()
        self.onConnect = onConnect
        self.script = script
        let thread = background { [self] in accept() }
        acceptor.withLock { $0 = thread }
    }

    var url: String { "http://127.0.0.1:\(port)" }
    var connections: Int { state.withLock { $0.connections } }
    var requests: [Request] { state.withLock { $0.requests } }

    /// Waits until so many requests were read.
    func sees(requests count: Int) -> Bool { state.becomes { $0.requests.count >= count } }

    /// Waits until so many connections are over, whoever ended them.
    func sees(ended count: Int) -> Bool { state.becomes { $0.ended >= count } }

    /// From now on connecting is refused; connections there are go on. May be called by a script.
    func stopListening() { shutdown(listener, Int32(SHUT_RDWR)) }

    func stop() {
        stopping.signal()
        guard
            let thread = acceptor.withLock({ thread in
                defer { thread = nil }; return thread
            })
        else { return }
        thread.join()
        for thread in state.withLock({ $0.threads.values }) { thread.join() }
        close(listener)
    }

    // MARK: - On the server's threads

    private func accept() {
        while waitUntilReadable(listener) {
            let connection = Glibc.accept(listener, nil, nil)
            guard connection >= 0 else { return }
            _ = fcntl(connection, F_SETFD, FD_CLOEXEC)
            let number = state.withLock { state in
                defer { state.connections += 1 }
                return state.connections
            }
            let thread = background { [self] in
                serve(connection, number)
                close(connection)
                state.update { state in
                    state.ended += 1
                    state.over.append(number)
                }
            }
            state.withLock { $0.threads[number] = thread }
            joinThoseThatAreOver()
        }
    }

    /// Of thousands of connections, only those that are open keep a thread.
    private func joinThoseThatAreOver() {
        let threads = state.withLock { state in
            let threads = state.over.compactMap { state.threads.removeValue(forKey: $0) }
            state.over.removeAll()
            return threads
        }
        for thread in threads { thread.join() }
    }

    private func serve(_ connection: Int32, _ connectionNumber: Int) {
        guard perform(onConnect(connectionNumber), on: connection) else { return }
        var buffer: [UInt8] = []
        var number = 0
        while let (head, body) = readRequest(connection, &buffer) {
            var request: Request?
            state.update { state in
                let next = Request(
                    connection: connectionNumber, number: number, total: state.requests.count, head: head, body: body)
                state.requests.append(next)
                request = next
            }
            number += 1
            guard let request, perform(script(request), on: connection) else { return }
        }
    }

    /// False when the connection is over.
    private func perform(_ steps: [Step], on connection: Int32) -> Bool {
        for step in steps {
            switch step {
            case .send(let bytes): guard send(bytes, connection) else { return false }
            case .pause(let milliseconds): sleep(milliseconds: milliseconds)
            case .stall:
                waitUntilOver(connection)
                return false
            case .cut: return false
            case .tell(let counter): counter.increment()
            case .reset:
                var linger = Glibc.linger(l_onoff: 1, l_linger: 0)
                setsockopt(connection, SOL_SOCKET, SO_LINGER, &linger, socklen_t(MemoryLayout<Glibc.linger>.size))
                return false
            }
        }
        return true
    }

    private func readRequest(_ connection: Int32, _ buffer: inout [UInt8]) -> (head: String, body: [UInt8])? {
        var headEnd: Int?
        var length = 0
        while true {
            if headEnd == nil, let end = buffer.endOfHead {
                headEnd = end
                length = Self.contentLength(String(decoding: buffer[..<end], as: UTF8.self))
            }
            if let headEnd, buffer.count >= headEnd + length {
                defer { buffer.removeFirst(headEnd + length) }
                return (String(decoding: buffer[..<headEnd], as: UTF8.self), Array(buffer[headEnd..<(headEnd + length)]))
            }
            guard waitUntilReadable(connection) else { return nil }
            var piece = [UInt8](repeating: 0, count: 65_536)
            let count = recv(connection, &piece, piece.count, 0)
            guard count > 0 else { return nil }
            buffer += piece[..<count]
        }
    }

    private static func contentLength(_ head: String) -> Int {
        let line = head.lowercased().split(separator: "\r\n").first { $0.hasPrefix("content-length: ") }
        return line.flatMap { Int($0.dropFirst("content-length: ".count)) } ?? 0
    }

    private func send(_ bytes: [UInt8], _ connection: Int32) -> Bool {
        var sent = 0
        while sent < bytes.count {
            let count = bytes.withUnsafeBytes {
                Glibc.send(
                    connection, $0.baseAddress.map { $0 + sent }, bytes.count - sent,
                    Int32(MSG_NOSIGNAL) | Int32(MSG_DONTWAIT))
            }
            if count > 0 { sent += count } else if errno != EAGAIN || !wait(connection, POLLOUT) { return false }
        }
        return true
    }

    /// False when the server stops.
    private func waitUntilReadable(_ descriptor: Int32) -> Bool { wait(descriptor, POLLIN) }

    private func wait(_ descriptor: Int32, _ events: Int32) -> Bool {
        var descriptors = [
            pollfd(fd: descriptor, events: Int16(events), revents: 0),
            pollfd(fd: stopping.descriptor, events: Int16(POLLIN), revents: 0),
        ]
        poll(&descriptors, 2, -1)
        return descriptors[1].revents == 0
    }

    private func waitUntilOver(_ connection: Int32) {
        var byte: UInt8 = 0
        while waitUntilReadable(connection), recv(connection, &byte, 1, 0) > 0 {}
    }
}

/// Sockets on 127.0.0.1.
enum Socket {
    struct Failure: Error {
        let number = errno
    }

    /// A listening socket with a port of the system's choice.
    static func listener(backlog: Int32 = 128) throws -> (descriptor: Int32, port: Int) {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { throw Failure() }
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        var address = address(port: 0)
        let result = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                bind(descriptor, address, size) == 0 && listen(descriptor, backlog) == 0
                    && getsockname(descriptor, address, &size) == 0
            }
        }
        guard result else { throw Failure() }
        return (descriptor, Int(UInt16(bigEndian: address.sin_port)))
    }

    /// A port at which nobody listens: had and given back a moment ago.
    static func closedPort() throws -> Int {
        let (descriptor, port) = try listener()
        close(descriptor)
        return port
    }

    /// A connection under way or made, without waiting for it.
    static func connect(port: Int) throws -> Int32 {
        let kind = SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue
        let descriptor = socket(AF_INET, Int32(kind), 0)
        guard descriptor >= 0 else { throw Failure() }
        var address = address(port: port)
        _ = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                Glibc.connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        return descriptor
    }

    private static func address(port: Int) -> sockaddr_in {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = in_port_t(UInt16(port)).bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        return address
    }
}

extension [UInt8] {
    /// Where the body starts, once the head is whole.
    fileprivate var endOfHead: Int? {
        withUnsafeBytes { bytes in
            guard bytes.count >= 4 else { return nil }
            for end in 4...bytes.count where bytes[end - 1] == 10 && bytes[end - 2] == 13 && bytes[end - 3] == 10 {
                if bytes[end - 4] == 13 { return end }
            }
            return nil
        }
    }
}

/// Serves while `body` runs.
func withServer(
    onConnect: @escaping @Sendable (Int) -> [LoopbackServer.Step] = { _ in [] }, _ script: @escaping LoopbackServer.Script,
    _ body: (LoopbackServer) throws -> Void
) throws {
    let server = try LoopbackServer(onConnect: onConnect, script)
    defer { server.stop() }
    try body(server)
}
