// swift-tools-version: 6.2
import PackageDescription

// The dependency lists below are the architecture: a module may import what stands here and
// nothing else. `swift build --explicit-target-dependency-import-check error` holds us to it.

let strict: [SwiftSetting] = [
    .treatAllWarnings(as: .error),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
]

func module(_ name: String, _ dependencies: [Target.Dependency], resources: [Resource] = [])
    -> Target
{
    .target(
        name: name, dependencies: dependencies, resources: resources, swiftSettings: strict)
}

func tests(_ name: String, _ dependencies: [Target.Dependency], exclude: [String] = [])
    -> Target
{
    .testTarget(
        name: name, dependencies: dependencies, exclude: exclude, swiftSettings: strict)
}

let package = Package(
    name: "clickrelay",
    products: [.executable(name: "clickrelay", targets: ["clickrelay"])],
    targets: [
        .target(name: "CLinux"),
        .systemLibrary(name: "CSQLite", providers: [.apt(["libsqlite3-dev"])]),
        .systemLibrary(name: "COpenSSL", providers: [.apt(["libssl-dev"])]),
        module("Domain", []),
        module("Crypto", ["Domain", "COpenSSL"]),
        module("Net", ["CLinux", "COpenSSL"]),
        module("HTTP", ["Net"]),
        module("SQLite", ["CSQLite"]),
        // `sql` is a link to Migrations/ at the top level, where people look for it.
        module("Migrations", [], resources: [.embedInCode("sql")]),
        module("Store", ["Domain", "SQLite", "Migrations"]),
        module("Visitors", ["Domain"]),
        module(
            "Clicks", ["Domain", "Crypto", "Visitors", "Store", "HTTP"],
            resources: [.embedInCode("t.js")]),
        module("Postbacks", ["Domain", "Crypto", "Store", "HTTP"]),
        module("Outbound", ["Domain", "Crypto", "Store", "HTTP"]),
        module("Reports", ["Domain", "Store"]),
        module(
            "Admin", ["Domain", "Store", "HTTP", "Reports"],
            resources: [
                .embedInCode("Templates/affiliate-networks.json"),
                .embedInCode("Templates/traffic-sources.json"),
            ]),
        .executableTarget(
            name: "clickrelay",
            dependencies: [
                "Domain", "Crypto", "Net", "HTTP", "SQLite", "Visitors", "Store", "Clicks",
                "Postbacks", "Outbound", "Reports", "Admin",
            ],
            swiftSettings: strict),

        .target(
            name: "TestSupport", dependencies: [], path: "Tests/TestSupport", swiftSettings: strict),
        .target(
            name: "StoreSupport", dependencies: ["Store", "Domain"], path: "Tests/StoreSupport",
            swiftSettings: strict),
        .target(name: "SimulatedMachine", path: "Tests/SimulatedMachine"),
        .executableTarget(
            name: "simulation",
            dependencies: [
                "Domain", "Crypto", "Net", "HTTP", "SQLite", "Store", "Clicks", "Postbacks",
                "Outbound", "Reports", "SimulatedMachine", "TestSupport",
            ],
            path: "Tests/Simulation", swiftSettings: strict),
        tests("DomainTests", ["Domain", "TestSupport"]),
        tests("CryptoTests", ["Crypto", "Domain"]),
        tests("VisitorsTests", ["Visitors", "Domain", "TestSupport"]),
        tests("NetTests", ["Net", "TestSupport"]),
        tests("HTTPTests", ["HTTP", "Net", "TestSupport"]),
        tests("SQLiteTests", ["SQLite", "Migrations", "TestSupport"]),
        tests(
            "StoreTests",
            ["Store", "SQLite", "Migrations", "Domain", "StoreSupport", "TestSupport"]),
        tests(
            "ClicksTests", ["Clicks", "Domain", "Crypto", "Store", "HTTP", "Net", "TestSupport"]),
        tests(
            "PostbacksTests",
            [
                "Postbacks", "Domain", "Crypto", "Store", "HTTP", "Net", "StoreSupport",
                "TestSupport",
            ]),
        tests(
            "OutboundTests",
            ["Outbound", "Domain", "Crypto", "Store", "HTTP", "Net", "TestSupport"]),
        tests(
            "AdminTests",
            [
                "Admin", "Clicks", "Crypto", "Domain", "Postbacks", "Store", "HTTP", "Reports",
                "StoreSupport", "TestSupport",
            ]),
        tests(
            "FuzzTests", ["Domain", "Net", "HTTP", "Visitors", "Postbacks"],
            exclude: ["Corpora", "LibFuzzer", "corpus.py"]),
        tests("SimulationTests", ["TestSupport"]),
        // Black boxes; what lies in a file they may read.
        tests("EndToEndTests", ["SQLite", "TestSupport"]),
    ]
)
