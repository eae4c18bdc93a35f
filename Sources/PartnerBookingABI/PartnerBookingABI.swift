// The C ABI: pointers in, one call of the core, JSON out. The header is the reference of every
// function, and `@implementation` makes the compiler compare each function with it.
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
    _ configJSON: UnsafePointer<CChar>?, _ errorJSON: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?,
    _ status: UnsafeMutablePointer<pbk_status>?
) -> OpaquePointer? {
    open(configJSON, errorJSON, status) { json throws(PartnerBookingError) in try PartnerBookingClient(json: json) }
}

/// Opens a client with `make`. Stores the client's handle in `handle`.
func open(
    _ configJSON: UnsafePointer<CChar>?, _ errorJSON: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?,
    _ status: UnsafeMutablePointer<pbk_status>?, _ handle: LedgerHandle? = nil,
    _ make: ([UInt8]) throws(PartnerBookingError) -> PartnerBookingClient
) -> OpaquePointer? {
    uncancelled {
        errorJSON?.pointee = nil
        status?.pointee = PBK_OK
        Handles.prepareForForks()
        CompletionBox.prepareForForks()
        do throws(PartnerBookingError) {
            var configuration = try bytes(configJSON, "config_json")
            defer { configuration.withUnsafeMutableBytes(wipe) }  // contains the API key or webhook secrets
            return Handles.add(try make(configuration), handle)
        } catch {
            errorJSON?.pointee = string(error.json)
            status?.pointee = error.pbkStatus
            return nil
        }
    }
}

@_cdecl("pbk_client_close") @implementation
public func pbk_client_close(_ client: OpaquePointer?, _ timeoutMilliseconds: Int32) -> pbk_status {
    uncancelled {
        do throws(PartnerBookingError) {
            let ended = try Handles.close(client, timeoutMilliseconds: Int(timeoutMilliseconds))
            return ended == 0 ? PBK_OK : PBK_TIMEOUT
        } catch {
            return error.pbkStatus
        }
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

@_cdecl("pbk_lookup_customer") @implementation
public func pbk_lookup_customer(
    _ client: OpaquePointer?, _ requestJSON: UnsafePointer<CChar>?, _ status: UnsafeMutablePointer<pbk_status>?
) -> UnsafeMutablePointer<CChar>? {
    call(.lookupCustomer, client, requestJSON, status)
}

@_cdecl("pbk_submit") @implementation
public func pbk_submit(
    _ client: OpaquePointer?, _ operation: pbk_operation, _ requestJSON: UnsafePointer<CChar>?,
    _ ticket: UnsafeMutablePointer<pbk_ticket>?, _ errorJSON: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?,
    _ callback: pbk_callback?, _ context: UnsafeMutableRawPointer?
) -> pbk_status {
    uncancelled {
        ticket?.pointee = 0
        errorJSON?.pointee = nil
        let asked = CallOperation(operation)
        do throws(PartnerBookingError) {
            if operation == PBK_CALL_TOOL {
                try submitTool(client, requestJSON, ticket, callback, UInt(bitPattern: context))
                return PBK_OK
            }
            guard let asked else {
                _ = try Handles.client(client)
                throw .argument(ErrorMessage.operation)
            }
            let (client, request) = try request(asked, client, requestJSON)
            let context = UInt(bitPattern: context)
            let call =
                if let callback {
                    try client.prepare(asked, request: request) { [queue = client.completions] completion in
                        // After a close that could not wait for a callback, the host may have
                        // freed the memory that its contexts point to.
                        guard !queue.isClosed else { return }
                        callback(
                            UnsafeMutableRawPointer(bitPattern: context), CompletionBox.make(completion, context: context))
                    }
                } else {
                    try client.prepare(asked, request: request, context: context)
                }
            ticket?.pointee = call.ticket.rawValue
            try client.submit(call)
            return PBK_OK
        } catch {
            ticket?.pointee = 0
            errorJSON?.pointee = string(error.json)
            return error.pbkStatus
        }
    }
}

@_cdecl("pbk_cancel") @implementation
public func pbk_cancel(_ client: OpaquePointer?, _ ticket: pbk_ticket) -> pbk_status {
    status { () throws(PartnerBookingError) in try Handles.client(client).cancel(CallTicket(ticket)) }
}

@_cdecl("pbk_prewarm") @implementation
public func pbk_prewarm(_ client: OpaquePointer?) -> pbk_status {
    status { () throws(PartnerBookingError) in try Handles.client(client).prewarm() }
}

@_cdecl("pbk_client_fd") @implementation
public func pbk_client_fd(_ client: OpaquePointer?) -> Int32 {
    uncancelled {
        do throws(PartnerBookingError) {
            return try Handles.client(client).completions.descriptor()
        } catch {
            return -1
        }
    }
}

@_cdecl("pbk_next_completion") @implementation
public func pbk_next_completion(
    _ client: OpaquePointer?, _ timeoutMilliseconds: Int32, _ status: UnsafeMutablePointer<pbk_status>?
) -> OpaquePointer? {
    uncancelled {
        do throws(PartnerBookingError) {
            let (queue, canWait) = try Handles.completions(client)
            switch queue.next(timeoutMilliseconds: canWait ? min(Int(timeoutMilliseconds), 600_000) : 0) {
            case .entry(let entry):
                status?.pointee = PBK_OK
                if queue.isDrained { Handles.forget(client) }
                return CompletionBox.make(entry.completion, context: entry.context)
            case .timeout: status?.pointee = PBK_TIMEOUT
            case .closed: status?.pointee = PBK_CLIENT_CLOSED
            }
        } catch {
            status?.pointee = error.pbkStatus
        }
        return nil
    }
}

@_cdecl("pbk_booking_key") @implementation
public func pbk_booking_key(
    _ callID: UnsafePointer<CChar>?, _ requestJSON: UnsafePointer<CChar>?,
    _ errorJSON: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?, _ status: UnsafeMutablePointer<pbk_status>?
) -> UnsafeMutablePointer<CChar>? {
    errorJSON?.pointee = nil
    do throws(PartnerBookingError) {
        let key = try BookingKey.derived(
            callID: bytes(callID, "call_id"), request: bytes(requestJSON, "request_json"))
        let text = string(Array(key.utf8))
        status?.pointee = text == nil ? PBK_RESOURCE_UNAVAILABLE : PBK_OK
        return text
    } catch {
        errorJSON?.pointee = string(error.json)
        status?.pointee = error.pbkStatus
        return nil
    }
}

@_cdecl("pbk_random_key") @implementation
public func pbk_random_key() -> UnsafeMutablePointer<CChar>? {
    uncancelled {
        string(Array(BookingKey.random().utf8))
    }
}

@_cdecl("pbk_pending_bookings") @implementation
public func pbk_pending_bookings(
    _ client: OpaquePointer?, _ status: UnsafeMutablePointer<pbk_status>?
) -> UnsafeMutablePointer<CChar>? {
    reply(status) { () throws(PartnerBookingError) in try Handles.client(client).pendingBookingsJSON() }
}

@_cdecl("pbk_sandbox_bookings") @implementation
public func pbk_sandbox_bookings(
    _ client: OpaquePointer?, _ status: UnsafeMutablePointer<pbk_status>?
) -> UnsafeMutablePointer<CChar>? {
    reply(status) { () throws(PartnerBookingError) in try Handles.client(client).sandboxBookings() }
}

@_cdecl("pbk_string_free") @implementation
public func pbk_string_free(_ string: UnsafeMutablePointer<CChar>?) {
    free(string)
}

/// Makes a blocking call.
private func call(
    _ operation: CallOperation, _ client: OpaquePointer?, _ requestJSON: UnsafePointer<CChar>?,
    _ status: UnsafeMutablePointer<pbk_status>?
) -> UnsafeMutablePointer<CChar>? {
    reply(status) { () throws(PartnerBookingError) in
        let (client, request) = try request(operation, client, requestJSON)
        return try client.call(operation, request: request).get()
    }
}

/// Returns the client and the request. An error has the outcome of a call that was not sent.
@inline(__always)
private func request(
    _ operation: CallOperation, _ client: OpaquePointer?, _ requestJSON: UnsafePointer<CChar>?
) throws(PartnerBookingError) -> (client: PartnerBookingClient, json: [UInt8]) {
    do throws(PartnerBookingError) {
        return try (Handles.client(client), bytes(requestJSON, "request_json"))
    } catch {
        throw error.beforeSending(operation)
    }
}

/// Converts the result of `body` into JSON and a status.
func reply(
    _ status: UnsafeMutablePointer<pbk_status>?, _ body: () throws(PartnerBookingError) -> [UInt8]
) -> UnsafeMutablePointer<CChar>? {
    uncancelled {
        let reply: UnsafeMutablePointer<CChar>?
        do throws(PartnerBookingError) {
            reply = string(try body())
            status?.pointee = PBK_OK
        } catch {
            reply = string(error.json)
            status?.pointee = error.pbkStatus
        }
        if reply == nil { status?.pointee = PBK_RESOURCE_UNAVAILABLE }
        return reply
    }
}

func status(
    _ errorJSON: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>? = nil,
    _ body: () throws(PartnerBookingError) -> Void
) -> pbk_status {
    uncancelled {
        errorJSON?.pointee = nil
        do throws(PartnerBookingError) {
            try body()
            return PBK_OK
        } catch {
            errorJSON?.pointee = string(error.json)
            return error.pbkStatus
        }
    }
}
