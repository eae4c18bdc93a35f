// swift-tools-version: 6.2
import PackageDescription

let package = Package(
    name: "book",
    dependencies: [.package(path: "../libpartnerbooking")],
    targets: [
        .executableTarget(
            name: "book",
            dependencies: [.product(name: "PartnerBooking", package: "libpartnerbooking")])
    ]
)
