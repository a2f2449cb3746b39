// swift-tools-version: 6.2
import PackageDescription

/// Every Swift target is built alike: language mode 6, warnings are errors.
let strict: [SwiftSetting] = [
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
    .treatAllWarnings(as: .error),
    // Checks of exclusive access cost some 5 % of the hot path and cannot fail in what the tests, which have them, run.
    // (-cross-module-optimization does nothing for what is `package`: generics stay unspecialised across modules.)
    .unsafeFlags(["-enforce-exclusivity=unchecked"], .when(configuration: .release)),
]

/// Swift's libraries are linked into the commands (`make build`). Debian's default linker warns of what Foundation uses.
let linker: [LinkerSetting] = [.unsafeFlags(["-use-ld=lld"], .when(configuration: .release))]

func module(_ name: String, uses dependencies: [Target.Dependency] = []) -> Target {
    // Without Foundation nothing else brings in libm, which `Double.rounded()` needs.
    .target(
        name: name, dependencies: dependencies, swiftSettings: strict, linkerSettings: [.linkedLibrary("m")])
}

func tests(of name: String, uses dependencies: [Target.Dependency] = []) -> Target {
    .testTarget(
        name: "\(name)Tests", dependencies: [.target(name: name)] + dependencies,
        swiftSettings: strict)
}

/// C libraries come from Debian 12; `scripts/setup.sh` names the packages.
let libraries: [Target] = [
    .target(
        name: "CSimdJSON",
        cxxSettings: [.unsafeFlags(["-O2"])],
        linkerSettings: [.linkedLibrary("simdjson")]),
    .target(name: "CAllocations"),
    .target(name: "CThreads"),
    .systemLibrary(name: "COpenSSL", pkgConfig: "libcrypto"),
    .systemLibrary(name: "CRdkafka", pkgConfig: "rdkafka"),
    .systemLibrary(name: "CSQLite", pkgConfig: "sqlite3"),
    .systemLibrary(name: "CWebSockets", pkgConfig: "libwebsockets"),
    .systemLibrary(name: "CYAML", pkgConfig: "yaml-0.1"),
    .systemLibrary(name: "CZlib", pkgConfig: "zlib"),
    .systemLibrary(name: "CZstd", pkgConfig: "libzstd"),
]

let package = Package(
    name: "slipstream",
    products: [
        .library(name: "SlipstreamClient", targets: ["Client"]),
        .executable(name: "slipstream", targets: ["slipstream"]),
        .executable(name: "slipstream-chaos", targets: ["slipstream-chaos"]),
    ],
    targets: libraries + [
        // One Swift module per C library, its only importer.
        module("Gossip", uses: ["COpenSSL", "Sharding", "Threads"]),
        module("JSON", uses: ["CSimdJSON"]),
        module("Kafka", uses: ["CRdkafka", "CThreads", "Replication", "Sharding", "Telemetry", "Threads"]),
        module("Storage", uses: ["CSQLite", "Compression", "Replication", "Telemetry", "Threads"]),
        module("Web", uses: ["CWebSockets"]),
        module("Compression", uses: ["CZlib", "CZstd"]),
        // Threads that may block, and what they wait on.
        module("Threads"),
        // Pure cores: no Foundation, no clock, no socket.
        module("Telemetry", uses: ["JSON"]),
        module("Insight", uses: ["Telemetry"]),
        module("Sharding"),
        module("Replication", uses: ["Telemetry", "Insight"]),
        module("Delivery", uses: ["Sharding", "Telemetry", "JSON"]),
        module("Simulation", uses: ["Telemetry", "Sharding"]),
        // The cluster's cores together, under simulated clocks, networks, logs and disks.
        module(
            "ChaosSimulation",
            uses: ["Client", "Commands", "Delivery", "JSON", "Replication", "Sharding", "Simulation", "Telemetry"]),
        // The words of a command line, for all programs.
        module("Commands"),
        // What people use, and what puts it together.
        module("Client", uses: ["Delivery", "Telemetry", "Web", "JSON"]),
        module(
            "Node",
            uses: [
                "Telemetry", "Insight", "Sharding", "Gossip", "Replication", "Delivery", "Kafka", "Storage", "Web",
                "JSON",
                "Compression", "Threads",
            ]),
        .executableTarget(
            name: "slipstream",
            dependencies: [
                "Node", "Client", "Simulation", "Telemetry", "JSON", "Compression", "Delivery", "Web", "Replication",
                "Sharding", "Storage", "CAllocations", "Commands", "Kafka", "Threads",
            ],
            swiftSettings: strict, linkerSettings: linker),
        // Breaks a cluster on this machine and checks what it promised; docs/chaos.md.
        module("LocalCluster"),
        .target(
            name: "Chaos",
            dependencies: [
                "Client", "Delivery", "JSON", "Kafka", "LocalCluster", "Replication", "Simulation", "Telemetry",
                "Threads", "Web",
            ],
            path: "chaos/Harness", swiftSettings: strict),
        .executableTarget(
            name: "slipstream-chaos", dependencies: ["Chaos", "ChaosSimulation", "Commands"], path: "chaos/Command",
            swiftSettings: strict, linkerSettings: linker),
        // Processes that tests kill; not shipped.
        .executableTarget(
            name: "log-torture", dependencies: ["Storage", "Replication", "Telemetry", "Threads"],
            path: "Tests/Fixtures/LogTorture", swiftSettings: strict, linkerSettings: linker),
        // Tests mirror Sources.
        tests(of: "Chaos", uses: ["ChaosSimulation"]),
        tests(of: "Client", uses: ["Delivery", "JSON", "Replication", "Simulation", "Telemetry", "Web"]),
        tests(of: "JSON"),
        tests(of: "Telemetry", uses: ["JSON", "Compression"]),
        tests(of: "Simulation", uses: ["Telemetry"]),
        tests(of: "Sharding", uses: ["Simulation"]),
        tests(of: "Gossip", uses: ["Sharding", "Threads"]),
        tests(of: "Kafka", uses: ["Insight", "Replication", "Sharding", "Telemetry", "Threads"]),
        tests(of: "Replication", uses: ["Kafka", "Telemetry", "Storage", "Threads"]),
        tests(of: "Insight", uses: ["Telemetry", "JSON"]),
        tests(of: "Web"),
        tests(of: "Storage", uses: ["Replication", "Telemetry", "Threads", "log-torture"]),
        tests(of: "Compression"),
        tests(of: "Delivery", uses: ["Sharding", "Telemetry", "JSON"]),
        tests(of: "ChaosSimulation", uses: ["Commands"]),
        tests(
            of: "Node",
            uses: [
                "ChaosSimulation", "Client", "Delivery", "JSON", "Kafka", "Replication", "Sharding", "Simulation",
                "Telemetry", "Threads", "Web",
            ]),
        // What is deployed, k8s/ and chaos/kubernetes/.
        .testTarget(name: "ManifestTests", dependencies: ["CYAML"], swiftSettings: strict),
    ],
    swiftLanguageModes: [.v6],
    cxxLanguageStandard: .cxx17
)
