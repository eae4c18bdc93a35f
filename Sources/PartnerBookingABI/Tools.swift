// Tool calls of language models, and the other functions of a conversation.
import CPartnerBooking
import PartnerBooking

@_cdecl("pbk_call_tool") @implementation
public func pbk_call_tool(
    _ client: OpaquePointer?, _ requestJSON: UnsafePointer<CChar>?, _ status: UnsafeMutablePointer<pbk_status>?
) -> UnsafeMutablePointer<CChar>? {
    reply(status) { () throws(PartnerBookingError) in
        let client = try Handles.client(client)
        return try client.callTool(bytes(requestJSON, "request_json")).get()
    }
}

@_cdecl("pbk_prefetch") @implementation
public func pbk_prefetch(
    _ client: OpaquePointer?, _ requestJSON: UnsafePointer<CChar>?,
    _ errorJSON: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?
) -> pbk_status {
    status(errorJSON) { () throws(PartnerBookingError) in
        let client = try Handles.client(client)
        try client.prefetch(bytes(requestJSON, "request_json"))
    }
}

@_cdecl("pbk_conversation_end") @implementation
public func pbk_conversation_end(
    _ client: OpaquePointer?, _ requestJSON: UnsafePointer<CChar>?,
    _ errorJSON: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?
) -> pbk_status {
    status(errorJSON) { () throws(PartnerBookingError) in
        let client = try Handles.client(client)
        try client.endConversation(bytes(requestJSON, "request_json"))
    }
}

/// Submits a tool call. Stores its ticket before anything can happen to the call.
func submitTool(
    _ client: OpaquePointer?, _ requestJSON: UnsafePointer<CChar>?, _ ticket: UnsafeMutablePointer<pbk_ticket>?,
    _ callback: pbk_callback?, _ context: UInt
) throws(PartnerBookingError) {
    let client = try Handles.client(client)
    let json = try bytes(requestJSON, "request_json")
    let noteTicket = { (noted: CallTicket) in
        ticket?.pointee = noted.rawValue
        return
    }
    guard let callback else { return try client.submitTool(json, context: context, noteTicket: noteTicket) }
    try client.submitTool(json, noteTicket: noteTicket) { [queue = client.completions] completion in
        // After a close that could not wait for a callback, the host may have freed the memory
        // that its contexts point to.
        guard !queue.isClosed else { return }
        callback(UnsafeMutableRawPointer(bitPattern: context), CompletionBox.make(completion, context: context))
    }
}
