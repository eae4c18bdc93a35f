/// The version of this library: MAJOR.MINOR.PATCH. A test compares it with `PBK_VERSION` in
/// the header.
package let partnerBookingVersion: StaticString = "0.1.0"
