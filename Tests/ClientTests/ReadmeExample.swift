import Client
import Foundation
import Testing

// README shows what stands between the two markers.
// BEGIN example
/// Follows one car, and publishes what the pit wall measured.
func follow(_ chassis: String, on node: String) async throws {
    let client = try SlipstreamClient(node)

    let publisher = client.publisher(source: "pit-wall-7")
    let record = TelemetryRecord(
        chassis: chassis, time: UTCTime("2025-09-06T18:40:41.926Z"), track: "barber", lap: 3,
        channels: ["speed_kmh": 181.4, "accx_can": -0.82, "pbrake_f": 41.0])
    try await publisher.publish([record])
    try await publisher.flush()  // It is durable now, and counts once.

    // Restarts and lost connections do not show here: every update comes, in order, and once.
    let updates = client.updates(of: "chassis/\(chassis)", from: .earliest)
    for try await update in updates {
        switch update {
        case .telemetry(let telemetry):
            for point in telemetry.points { print(point.seq, point["speed_kmh"] ?? 0) }
        case .insight(let insight):
            print("stress of this lap:", insight["lap_tire_stress"] ?? 0)
        case .alerts(let alerts):
            for alert in alerts.alerts { print(alert.string("message") ?? alert.json) }
        case .resync(let resync):
            print("the log no longer has what was before", resync.seq)
        }
        // Save it, and a later run goes on behind this update: from: .positions(saved)
        _ = updates.positions(after: update)
    }
    await client.close()
}
// END example

@Suite struct ReadmeExample {
    private static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()
    private static let readme = root.appending(path: "README.md")

    @Test(.enabled(if: FileManager.default.fileExists(atPath: ReadmeExample.readme.path), "there is no README yet"))
    func `README shows the example as it is compiled here`() throws {
        let source = try String(contentsOf: URL(filePath: #filePath), encoding: .utf8)
        let begin = try #require(source.range(of: "// BEGIN example\n"))
        let end = try #require(source.range(of: "// END example"))
        let example = String(source[begin.upperBound..<end.lowerBound])
        #expect(example.split(separator: "\n").count <= 34)
        #expect(try String(contentsOf: Self.readme, encoding: .utf8).contains(example))
    }
}
