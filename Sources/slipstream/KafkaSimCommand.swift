import Commands
import Foundation
import Kafka
import Telemetry
import Web

enum KafkaSimCommand: Command {
    static let name = "kafka-sim"
    static let summary = "a simulated Kafka cluster, with faults on demand"
    static let help = """
        usage: slipstream kafka-sim [--brokers N] [--topic NAME:PARTITIONS …] [OPTIONS]

        Runs a Kafka cluster in one process: librdkafka's mock, with the real wire protocol on 127.0.0.1. Prints the
        addresses that --kafka takes, and where faults are asked for. Ctrl-C or SIGTERM ends it.

          --brokers N           1…9 (default 3); their ports are chosen by the system
          --topic NAME:N        a topic with N partitions; may be given several times
          --control-port N      of the faults, on 127.0.0.1 (default: any free port)
          --port-file FILE      is written once all is there: the same JSON object as --json prints
          --json                print one JSON object: {"brokers":"host:port,…","control":"http://127.0.0.1:port"}

        Faults are HTTP requests, as in: curl -X POST http://127.0.0.1:PORT/broker/2/down
          GET  /                                   brokers and topics, as JSON
          POST /broker/ID/down, /broker/ID/up      ID may be 'all'; a broker that is down keeps its partitions
          POST /broker/ID/delay?ms=N               every answer of it comes so much later
          POST /leader/TOPIC/PARTITION/ID          ID may be 'none'
          POST /topic/NAME?partitions=N            a new topic
          POST /errors/REQUEST?errors=E,E,…        the next such requests fail, one for each error
          POST /errors/REQUEST?broker=ID&ms=N&errors=E   the next such request to that broker fails and is late
          POST /errors/REQUEST/clear
        REQUEST is one of \(KafkaSimFaults.requests.map(\.name).joined(separator: ", ")).
        E is one of \(MockError.allCases.map(\.rawValue).joined(separator: ", ")).

        It is a mock. It keeps 5 MiB a partition and silently drops the oldest, forgets everything at its end, listens on
        127.0.0.1 alone, and takes a topic that a producer names for a new one with 4 partitions. It has no compaction,
        no retention by time, no look-up by time, no CreateTopics, no TLS or SASL, no fencing; its replicas are names.
        """

    static func run(_ arguments: inout Arguments) async throws -> Int32 {
        let brokers = try arguments.takeNumber("--brokers", in: 1...9, default: 3)
        let port = try arguments.takeNumber("--control-port", in: 0...65_535, default: 0)
        let portFile = try arguments.takeOption("--port-file")
        let isJSON = arguments.takeSwitch("--json")
        var topics: [KafkaSimTopic] = []
        for text in try arguments.takeOptions("--topic") { topics.append(try KafkaSimTopic(text)) }
        try arguments.finish()

        let cluster = try MockCluster(brokers: brokers)
        defer { cluster.close() }
        let faults = try KafkaSimFaults(cluster, topics: topics)
        let server = try WebServer(WebServerConfiguration(host: "127.0.0.1", port: port), handler: faults)
        let signals = StopSignals { server.stop() }
        defer { signals.cancel() }
        let control = "http://127.0.0.1:\(server.port)"
        var json = JSONWriter()
        json.raw("{\"brokers\":")
        json.string(cluster.addresses)
        json.raw(",\"control\":")
        json.string(control)
        json.raw("}\n")
        let object = String(decoding: json.bytes, as: UTF8.self)
        if let portFile { try object.write(toFile: portFile, atomically: true, encoding: .utf8) }
        printLine(
            isJSON
                ? String(object.dropLast()) : "Kafka (simulated) is at \(cluster.addresses)\nfaults are at \(control)")
        await onThread { server.run() }
        return 0
    }
}

/// `NAME:PARTITIONS`
struct KafkaSimTopic {
    static let partitionsMax = 4_096
    let name: String
    let partitions: Int

    init(name: String, partitions: Int) {
        self.name = name
        self.partitions = partitions
    }

    init(_ text: String) throws(UsageError) {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false).map(String.init)
        guard parts.count == 2, KafkaSimTopic.isName(parts[0]), let count = Int(parts[1]),
            (1...KafkaSimTopic.partitionsMax).contains(count)
        else {
            throw UsageError(
                "--topic is '\(text)'; it must be NAME:PARTITIONS with 1…\(KafkaSimTopic.partitionsMax) partitions")
        }
        self.init(name: parts[0], partitions: count)
    }

    /// As Kafka has it.
    static func isName(_ text: String) -> Bool {
        (1...249).contains(text.utf8.count) && text != "." && text != ".."
            && text.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || "-_.".contains($0)) }
    }
}
