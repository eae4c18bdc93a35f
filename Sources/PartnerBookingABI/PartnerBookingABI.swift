// The C ABI: pointers in, one call of the core, JSON out. The reference text of every function is the header;
// `@implementation` has the compiler compare each of them with it.
import CPartnerBooking
import Glibc
import PartnerBooking

@_cdecl("pbk_version") @implementation
public func pbk_version() -> UnsafePointer<CChar>? {
    cString(partnerBookingVersion)
}

@_cdecl("pbk_status_text") @implementation
public func pbk_status_text(_ status: pbk_status) -> UnsafePointer<CChar>? {
    cString(text(of: status))
}

@_cdecl("pbk_client_open") @implementation
public func pbk_client_open(
    _ configJSON: UnsafePointer<CChar>?, _ errorJSON: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?
) -> OpaquePointer? {
    errorJSON?.pointee = nil
    do throws(PartnerBookingError) {
        let client = try PartnerBookingClient(configuration: bytes(configJSON, "config_json"))
        return Handles.add(client)
    } catch {
        errorJSON?.pointee = string(error.json)
        return nil
    }
}

@_cdecl("pbk_client_close") @implementation
public func pbk_client_close(_ client: OpaquePointer?, _ timeoutMilliseconds: Int32) -> pbk_status {
    do throws(PartnerBookingError) {
        let ended = try Handles.remove(client).close(timeoutMilliseconds: Int(timeoutMilliseconds))
        return ended == 0 ? PBK_OK : PBK_TIMEOUT
    } catch {
        return error.pbkStatus
    }
}

@_cdecl("pbk_search_availability") @implementation
public func pbk_search_availability(
    _ client: OpaquePointer?, _ requestJSON: UnsafePointer<CChar>?, _ status: UnsafeMutablePointer<pbk_status>?
) -> UnsafeMutablePointer<CChar>? {
    call(.searchAvailability, client, requestJSON, status)
}

@_cdecl("pbk_create_booking") @implementation
public func pbk_create_booking(
    _ client: OpaquePointer?, _ requestJSON: UnsafePointer<CChar>?, _ status: UnsafeMutablePointer<pbk_status>?
) -> UnsafeMutablePointer<CChar>? {
    call(.createBooking, client, requestJSON, status)
}

@_cdecl("pbk_string_free") @implementation
public func pbk_string_free(_ string: UnsafeMutablePointer<CChar>?) {
    free(string)
}

// MARK: - Conversions

/// A blocking call: the one place where a completion becomes JSON and a status.
private func call(
    _ operation: Operation, _ client: OpaquePointer?, _ requestJSON: UnsafePointer<CChar>?,
    _ status: UnsafeMutablePointer<pbk_status>?
) -> UnsafeMutablePointer<CChar>? {
    let completion: Completion
    do throws(PartnerBookingError) {
        completion = try Handles.client(client).call(operation, request: bytes(requestJSON, "request_json"))
    } catch {
        completion = .failure(error.beforeSending(operation))
    }
    let reply: UnsafeMutablePointer<CChar>?
    switch completion {
    case .success(let json):
        reply = string(json)
        status?.pointee = PBK_OK
    case .failure(let error):
        reply = string(error.json)
        status?.pointee = error.pbkStatus
    }
    if reply == nil { status?.pointee = PBK_RESOURCE_UNAVAILABLE }
    return reply
}

/// A copy of the caller's string without its NUL byte. Whether it is UTF-8 is checked where it is read as JSON. Of a string
/// beyond every limit no more is copied than it takes to see that.
private func bytes(_ string: UnsafePointer<CChar>?, _ name: String) throws(PartnerBookingError) -> [UInt8] {
    guard let string else { throw .argument("\(name) must not be NULL") }
    return Array(UnsafeRawBufferPointer(start: string, count: strnlen(string, 2_097_152)))
}

/// A string for the caller to free; nil when memory is out. JSON holds no NUL byte.
private func string(_ json: [UInt8]) -> UnsafeMutablePointer<CChar>? {
    guard let memory = malloc(json.count + 1) else { return nil }
    json.withUnsafeBytes { UnsafeMutableRawBufferPointer(start: memory, count: $0.count).copyMemory(from: $0) }
    memory.storeBytes(of: 0, toByteOffset: json.count, as: UInt8.self)
    return memory.assumingMemoryBound(to: CChar.self)
}

private func cString(_ string: StaticString) -> UnsafePointer<CChar>? {
    UnsafeRawPointer(string.utf8Start).assumingMemoryBound(to: CChar.self)
}
