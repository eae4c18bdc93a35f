// swift-tools-version: 6.2
// The Makefile builds the shipped shared object from this package and passes the linker's flags, so none stand here.
import PackageDescription

let strict: [SwiftSetting] = [.treatAllWarnings(as: .error)]

let package = Package(
    name: "partnerbooking",
    products: [
        .library(name: "partnerbooking", type: .dynamic, targets: ["PartnerBookingABI"]),
        .library(name: "PartnerBooking", targets: ["PartnerBooking"]),
    ],
    targets: [
        .systemLibrary(name: "CPartnerBooking", path: "include"),
        .target(name: "CCurl", linkerSettings: [.linkedLibrary("curl")]),
        .target(name: "CSystem"),
        .target(name: "PartnerBooking", dependencies: ["CCurl", "CSystem"], swiftSettings: strict),
        .target(
            name: "PartnerBookingABI", dependencies: ["PartnerBooking", "CPartnerBooking"], exclude: ["exports.map"],
            swiftSettings: strict),
        .testTarget(
            name: "PartnerBookingTests", dependencies: ["PartnerBooking", "PartnerBookingABI", "CPartnerBooking"],
            swiftSettings: strict),
    ],
    swiftLanguageModes: [.v6]
)
