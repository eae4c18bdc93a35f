// The input is options of pbk_tools. It is also taken as the name of a service.
@testable import PartnerBooking

@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzTools(_ data: UnsafePointer<UInt8>?, _ size: Int) -> CInt {
    let input = [UInt8](data, size)
    do throws(PartnerBookingError) {
        let reply = try BookingTools.reply(json: input)
        let root = required((try? JSONDocument(reply, profile: .reply))?.root, "a reply is JSON: \(reply.text)")
        require(root["tools"]?.kind == .array && root["prompt"]?.string?.isEmpty == false, "it is whole: \(reply.text)")
    } catch {
        requireUsable(error, of: input)
    }
    let name = input.text
    let json = BookingTools(services: [name]).json(for: .mcp)
    let tools = required((try? JSONDocument(json, profile: .reply))?.root, "tools are JSON: \(json.text)")
    let find = required(tools.elements.first { _ in true }, "there is a tool")
    let service = find["inputSchema"]?["properties"]?["service"]?["description"]?.string
    let expected = "What the appointment is for. null: not said. One of: " + name
    require(service.map { $0.utf8.elementsEqual(expected.utf8) } == true, "a name arrives: \(json.text)")
    return 0
}
