import Foundation
import Glibc
import JSON
import Testing
import Web

/// The HTTP and UDP side of one node, as curl and nc see it.
@Suite(.serialized) struct APITests {
    private static let good =
        #"{"meta_time":"2025-11-20T00:00:00Z","track":"sebring","chassis":"GR86-001","lap":1,"lapdist_m":100,"#
        + #""speed_kmh":180,"accx_can":0.02,"accy_can":0.8,"rpm":6000}"#

    private static func startNode(_ arguments: [String] = []) async throws -> NodeProcess {
        let node = try NodeProcess(arguments)
        try await node.start()
        return node
    }

    @Test func `good elements of a batch are accepted and bad ones listed by index`() async throws {
        let node = try await APITests.startNode()
        let body =
            "[\(APITests.good),{\"chassis\":\"x\",\"speed_kmh\":\"fast\"},{\"speed_kmh\":1},"
            + "{\"chassis\":\"x\",\"rpm\":NaN},{\"chassis\":\"x\",\"meta_time\":\"1980-01-01T00:00:00Z\"}]"
        let response = try await node.request("POST", "/api/ingest", body: body)
        #expect(response.status == 200)
        let json = try JSONValue.parse(response.body)
        #expect(json["accepted"]?.int == 1)
        #expect(json["rejected"]?.array?.map { $0["index"]?.int } == [1, 2, 3, 4])
        #expect(
            json["rejected"]?.array?.map { $0["reason"]?.string } == [
                "not_a_number", "missing", "not_finite", "bad_time",
            ])
        #expect(json["rejected"]?[0]?["field"]?.string == "speed_kmh")
        #expect(json["rejected"]?[0]?["value"]?.string?.contains("fast") == true)
    }

    @Test(arguments: [
        ("not json", 400, "not_json"), ("{\"speed_kmh\":1}", 400, nil), ("[]", 200, nil), ("", 400, "not_json"),
        ("[1,2]", 400, nil),
    ])
    func `a body without one good record is answered by 400`(body: String, status: Int, code: String?) async throws {
        let node = try await APITests.startNode()
        let response = try await node.request("POST", "/api/ingest", body: body)
        #expect(response.status == status)
        if let code { #expect(try JSONValue.parse(response.body)["error"]?["code"]?.string == code) }
    }

    @Test func `what was ingested is in the stream's state, its records and the recent points`() async throws {
        let node = try await APITests.startNode()
        _ = try await node.request("POST", "/api/ingest", body: APITests.good)
        let csv = "meta_time,track,chassis,lap,speed_kmh\r\n2025-11-20T00:00:01Z,sebring,GR86-001,1,181.5\r\n"
        #expect(try await node.request("POST", "/api/ingest", type: "text/csv", body: csv).status == 200)
        try await eventually("both points are there") {
            try await node.json("/v1/streams")["streams"]?[0]?["position"]?["seq"]?.int == 2
        }
        let state = try await node.json("/v1/streams/chassis/GR86-001")
        #expect(state["latest"]?["speed_kmh"]?.double == 181.5)
        #expect(state["insight"]?["chassis"]?.string == "GR86-001")
        let records = try await node.json("/v1/streams/chassis/GR86-001/records?from_seq=1&limit=1")
        #expect(records["records"]?.array?.count == 1)
        #expect(records["records"]?[0]?["data"] == (try JSONValue.parse(APITests.good)))
        let recent = try await node.get("/api/recent/5")
        #expect(String(decoding: recent.body, as: UTF8.self).contains(APITests.good))
        let metrics = String(decoding: try await node.get("/metrics").body, as: UTF8.self)
        #expect(metrics.contains("slipstream_records_accepted_total 2"))
    }

    @Test(arguments: [
        ("GET", "/v1/streams/chassis/nobody", 404, "no_such_stream"),
        ("GET", "/v1/streams/boat/x", 404, "no_such_kind"),
        ("GET", "/v1/nothing", 404, "not_found"), ("GET", "/api/recent/0", 400, "bad_count"),
        ("DELETE", "/api/ingest", 405, "method_not_allowed"), ("GET", "/../../etc/passwd", 404, "not_found"),
    ])
    func `what is not there is said in one shape`(method: String, path: String, status: Int, code: String) async throws
    {
        let node = try await APITests.startNode()
        let response = try await node.request(method, path)
        #expect(response.status == status)
        #expect(try JSONValue.parse(response.body)["error"]?["code"]?.string == code)
    }

    @Test func `datagrams with JSON and with lines become points`() async throws {
        let node = try await APITests.startNode()
        sendDatagram(APITests.good, to: node.udpPort)
        sendDatagram("2025-11-20T00:00:01Z,sebring,GR86-001,1,120,181.5\n", to: node.udpPort)
        sendDatagram("rubbish", to: node.udpPort)
        try await eventually("two points and a refusal") {
            let metrics = String(decoding: try await node.get("/metrics").body, as: UTF8.self)
            let streams = try await node.json("/v1/streams")
            return metrics.contains("slipstream_udp_refused_total 1")
                && streams["streams"]?[0]?["position"]?["seq"]?.int == 2
        }
    }

    private func sendDatagram(_ text: String, to port: Int) {
        let descriptor = socket(AF_INET, Int32(SOCK_DGRAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = in_port_t(port).bigEndian
        address.sin_addr.s_addr = in_addr_t(0x7f00_0001).bigEndian
        let bytes = Array(text.utf8)
        let sent = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                sendto(descriptor, bytes, bytes.count, 0, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        #expect(sent == bytes.count)
        close(descriptor)
    }

    @Test func `a setting that is not allowed stops the start with its name, its value and what is allowed`()
        async throws
    {
        let node = try NodeProcess(["--batch-ms", "soon"])
        await #expect {
            try await node.start()
        } throws: { error in
            "\(error)".contains("--batch-ms is 'soon'; it must be a whole number in 10…60000")
        }
    }
}
