// A host in Swift, with a Swift runtime of its own beside the one in the library:
//
//     swift_host LIBRARY SCOPE SERVICE
//
// SCOPE is "local" or "global", where the names of the library go. The module is called as the library's own and has types
// of the same names, all of which the program exports: neither these nor what the two runtimes know of them may meet.
import CPartnerBooking
import Dispatch

#if STATIC  // its runtime is inside the program, as ours is inside the library: then the large half of Foundation stays away
    import FoundationEssentials
    import Glibc
#else
    import Foundation
#endif

// ---- What is called in the library as well, and is something else there

public struct PartnerBookingError: Error, Equatable { let reason: String }
public enum CallOperation: String, CaseIterable, Codable { case search, book, dance }
public struct CreateBookingRequest: Codable, Hashable { let operation: CallOperation, steps: [String: [Int]] }
public protocol Carrier {
    associatedtype Cargo
    func carry() -> Cargo
}
public final class PartnerBookingClient: Carrier {
    public func carry() -> [CreateBookingRequest: Set<Double>] {
        [CreateBookingRequest(operation: .dance, steps: ["a": [1]]): [0.5]]
    }
}

// ---- The library

struct Library: @unchecked Sendable {
    typealias Text = UnsafeMutablePointer<CChar>

    let open:
        @convention(c) (UnsafePointer<CChar>?, UnsafeMutablePointer<Text?>?, UnsafeMutablePointer<pbk_status>?) ->
            OpaquePointer?
    let close: @convention(c) (OpaquePointer?, Int32) -> pbk_status
    let search: @convention(c) (OpaquePointer?, UnsafePointer<CChar>?, UnsafeMutablePointer<pbk_status>?) -> Text?
    let submit:
        @convention(c) (
            OpaquePointer?, pbk_operation, UnsafePointer<CChar>?, UnsafeMutablePointer<pbk_ticket>?,
            UnsafeMutablePointer<Text?>?, pbk_callback?, UnsafeMutableRawPointer?
        ) -> pbk_status
    let reply: @convention(c) (OpaquePointer?) -> UnsafePointer<CChar>?
    let freeCompletion: @convention(c) (OpaquePointer?) -> Void
    let freeString: @convention(c) (Text?) -> Void

    init(_ path: String, _ flags: Int32) {
        guard let library = dlopen(path, RTLD_NOW | flags) else { fatalError(String(cString: dlerror())) }
        func find<Function>(_ name: String) -> Function { unsafeBitCast(dlsym(library, name), to: Function.self) }
        open = find("pbk_client_open")
        close = find("pbk_client_close")
        search = find("pbk_search_availability")
        submit = find("pbk_submit")
        reply = find("pbk_completion_reply")
        freeCompletion = find("pbk_completion_free")
        freeString = find("pbk_string_free")
    }
}

let library = Library(CommandLine.arguments[1], CommandLine.arguments[2] == "global" ? RTLD_GLOBAL : RTLD_LOCAL)
let request = """
    {"bot_id":"bot_swift","query":{"filter":{"start_at_range":{\
    "start_at":"2030-01-14T09:00:00Z","end_at":"2030-01-14T17:00:00Z"}}}}
    """

struct Found: Codable {
    struct Slot: Codable, Hashable { let start_at: String, duration_minutes: Int }
    let availabilities: [Slot]
}

func slots(in json: String) throws -> Set<Found.Slot> {
    let found = Set(try JSONDecoder().decode(Found.self, from: Data(json.utf8)).availabilities)
    guard !found.isEmpty else { throw PartnerBookingError(reason: json) }
    return found
}

/// A handle that tasks share: the library allows that.
struct Client: @unchecked Sendable {
    let handle: OpaquePointer

    init(_ config: String) {
        guard let handle = library.open(config, nil, nil) else { fatalError("no client") }
        self.handle = handle
    }

    /// Waits in the library.
    func search() throws -> Set<Found.Slot> {
        var status = PBK_OK
        let reply = library.search(handle, request, &status)
        defer { library.freeString(reply) }
        return try slots(in: reply.map { String(cString: $0) } ?? "NULL")
    }

    /// Waits in Swift: the library's thread resumes the task.
    func searchLater() async throws -> Set<Found.Slot> {
        final class Waiting { var continuation: CheckedContinuation<String, Never>? }
        let json = await withCheckedContinuation { continuation in
            let waiting = Waiting()
            waiting.continuation = continuation
            let callback: pbk_callback = { context, completion in
                let waiting = Unmanaged<Waiting>.fromOpaque(context!).takeRetainedValue()
                waiting.continuation?.resume(returning: library.reply(completion).map { String(cString: $0) } ?? "NULL")
                library.freeCompletion(completion)
            }
            let context = Unmanaged.passRetained(waiting).toOpaque()
            let status = library.submit(handle, PBK_SEARCH_AVAILABILITY, request, nil, nil, callback, context)
            if status != PBK_OK { fatalError("submit: \(status.rawValue)") }
        }
        return try slots(in: json)
    }
}

// ---- What the host does with its own runtime meanwhile

actor Tally {
    private var counts: [String: Int] = [:]
    func add(_ name: String) { counts[name, default: 0] += 1 }
    func total() -> Int { counts.values.reduce(0, +) }
}

/// New generic types, casts that look conformances up, types by name, errors, and what Foundation makes of it.
func exercise<Value: Codable & Hashable>(_ value: Value, depth: Int) throws {
    guard depth > 0 else { return }
    let coded = try JSONDecoder().decode([String: [Value]].self, from: JSONEncoder().encode(["a": [value]]))
    precondition(coded == ["a": [value]])
    precondition((value as Any) as? any Codable != nil && (value as Any) as? PartnerBookingError == nil)
    precondition(String(reflecting: CreateBookingRequest.self) == "PartnerBooking.CreateBookingRequest")
    precondition(_typeByName(_mangledTypeName([Value].self)!) == [Value].self)
    precondition(Mirror(reflecting: CreateBookingRequest(operation: .book, steps: [:])).children.count == 2)
    let cargo: any Carrier = PartnerBookingClient()
    precondition(cargo.carry() is [CreateBookingRequest: Set<Double>])
    do {
        throw PartnerBookingError(reason: "none")
    } catch let error as PartnerBookingError {
        precondition(error.reason == "none")
    }
    try exercise([value], depth: depth - 1)
}

let clients = [Client(CommandLine.arguments[3]), Client(CommandLine.arguments[3])]
let tally = Tally()
let first = try clients[0].search()

try await withThrowingTaskGroup(of: Void.self) { group in
    for number in 0..<24 {
        group.addTask {
            let client = clients[number % 2]
            if number % 3 == 0 {
                // Off the pool of tasks: it waits.
                let found = try await withCheckedThrowingContinuation { continuation in
                    DispatchQueue.global().async { continuation.resume(with: Result { try client.search() }) }
                }
                precondition(found == first)
            } else {
                async let found = client.searchLater()
                async let slept: Void = Task.sleep(nanoseconds: 1_000_000)
                try exercise(CreateBookingRequest(operation: .search, steps: ["\(number)": [number]]), depth: 4)
                let (isSame, _) = try await (found == first, slept)
                precondition(isSame)
            }
            await tally.add(CallOperation.allCases[number % 3].rawValue)
        }
    }
    try await group.waitForAll()
}

for client in clients { precondition(library.close(client.handle, 1_000) == PBK_OK) }
try exercise(Date(timeIntervalSince1970: 0), depth: 3)
print("\(await tally.total()) tasks, \(first.count) slots")
