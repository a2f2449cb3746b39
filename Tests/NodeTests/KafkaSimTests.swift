import Foundation
import JSON
import Kafka
import Replication
import Telemetry
import Testing
import Web

/// `slipstream kafka-sim` as a process, with faults over HTTP.
@Suite struct KafkaSimTests {
    /// A simulated Kafka that ends with this object.
    private final class Sim {
        let process = Process()
        let directory = FileManager.default.temporaryDirectory.appendingPathComponent("kafka-sim-\(UUID().uuidString)")
        private(set) var brokers = ""
        private(set) var control = ""

        func start() async throws {
            try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
            let file = directory.appendingPathComponent("port")
            process.executableURL = NodeProcess.executable
            process.arguments = ["kafka-sim", "--brokers", "2", "--topic", "races:3", "--port-file", file.path]
            process.standardOutput = FileHandle.nullDevice
            try process.run()
            try await eventually("the port file is there") { FileManager.default.fileExists(atPath: file.path) }
            let said = try JSONValue.parse(try String(contentsOf: file, encoding: .utf8))
            brokers = said["brokers"]?.string ?? ""
            control = said["control"]?.string ?? ""
        }

        func ask(_ method: String, _ path: String) async throws -> (status: Int, body: JSONValue) {
            let client = try WebClient()
            defer { client.shutdown() }
            let response = try await client.request(method, control + path)
            return (response.status, try JSONValue.parse(response.body))
        }

        deinit {
            if process.isRunning { kill(process.processIdentifier, SIGKILL) }
            // In the system's temporary directory it is of no consequence.
            try? FileManager.default.removeItem(at: directory)
        }
    }

    private func record(_ number: Int) -> NewRecord {
        NewRecord(
            partition: PartitionID(0), key: nil, value: Array("\(number)".utf8),
            timestamp: Timestamp(milliseconds: 1_763_596_800_000))
    }

    @Test func `a broker goes down and comes up on request, and clients feel it`() async throws {
        let sim = Sim()
        try await sim.start()
        let log = try KafkaLog(
            try KafkaConfiguration(brokers: sim.brokers, settings: ["delivery.timeout.ms=1000"]), topic: "races")
        defer { log.close() }
        #expect(log.partitionCount == 3)
        #expect(try log.append([record(1)]) == [.zero])
        let down = try await sim.ask("POST", "/broker/all/down")
        #expect(down.body["brokers"]?[0]?["up"]?.bool == false)
        #expect(throws: LogError.self) { try log.append([record(2)]) }
        #expect(try log.unanswered(within: .seconds(1)).count == 3)
        _ = try await sim.ask("POST", "/broker/all/up")
        try await eventually(within: 20, "all partitions answer") { try log.unanswered(within: .seconds(1)).isEmpty }
        #expect(try log.append([record(3)]).count == 1)
    }

    @Test(arguments: [
        "/broker/3/down", "/broker/1/sideways", "/leader/races/9/1", "/leader/none/0/1",
        "/errors/fetch?errors=nonsense",
        "/topic/x?partitions=0", "/rain",
    ])
    func `a fault that makes no sense is refused with the reason`(path: String) async throws {
        let sim = Sim()
        try await sim.start()
        let answer = try await sim.ask("POST", path)
        #expect(answer.status == 400)
        #expect(answer.body["error"]?["message"]?.string?.isEmpty == false)
    }

    @Test func `it ends with the signal that ends a process`() async throws {
        let sim = Sim()
        try await sim.start()
        sim.process.terminate()
        try await eventually("it ends") { !sim.process.isRunning }
        #expect(sim.process.terminationStatus == 0)
    }
}
