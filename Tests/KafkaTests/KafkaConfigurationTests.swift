import Testing

@testable import Kafka

@Suite struct KafkaConfigurationTests {
    @Test(arguments: [
        ("auto.offset.reset=earliest", "auto.offset.reset", "earliest", "it must be error"),
        ("acks=1", "acks", "1", "it must be all"),
        ("request.required.acks=0", "request.required.acks", "0", "it must be all"),
        ("enable.idempotence=false", "enable.idempotence", "false", "store a record twice"),
        ("group.id=mine", "group.id", "mine", "lag tools"),
        ("transactional.id=x", "transactional.id", "x", "it cannot be set"),
        ("bootstrap.servers=other:9092", "bootstrap.servers", "other:9092", "--kafka"),
    ])
    func `a setting against a rule is refused with its name, value and the reason`(
        setting: String, name: String, value: String, reason: String
    ) throws {
        let error = try #require(throws: KafkaError.self) {
            try KafkaConfiguration(brokers: "localhost:9092", settings: [setting])
        }
        guard case .setting(name, value, let told) = error else {
            Issue.record("\(error)")
            return
        }
        #expect(told.contains(reason), "\(told)")
    }

    @Test func `a setting that says what the rule says is taken`() throws {
        _ = try KafkaConfiguration(brokers: "localhost:9092", settings: ["acks=all", "enable.partition.eof=true"])
    }

    @Test(arguments: [
        ("no.such.setting=1", "No such configuration property"), ("linger.ms=soon", "Invalid"),
        ("nonsense", "name=value"),
        ("=1", "name=value"),
    ])
    func `an unknown or malformed setting is refused before anything starts`(setting: String, reason: String) throws {
        let error = try #require(throws: KafkaError.self) {
            try KafkaConfiguration(brokers: "localhost:9092", settings: [setting])
        }
        #expect("\(error)".contains(reason), "\(error)")
    }

    @Test func `a wrong secret is not shown`() throws {
        let error = try #require(throws: KafkaError.self) {
            try KafkaConfiguration(brokers: "localhost:9092", settings: ["no.such.password=hunter2"])
        }
        #expect(!"\(error)".contains("hunter2"), "\(error)")
    }

    @Test(arguments: ["", "localhost", "localhost:0", "a:1,,b:2", "http://a:9092", "a:9092, b:9092"])
    func `an address list that cannot be meant is refused`(brokers: String) {
        #expect(throws: KafkaError.self) { try KafkaConfiguration(brokers: brokers) }
    }

    @Test func `a properties file has one setting a line, and comments`() throws {
        let settings = try PropertiesFile.parse(
            "# a comment\n\nsecurity.protocol = SSL\r\n! another\nssl.ca.location=/etc/a=b.pem\n", path: "p")
        #expect(settings.map(\.name) == ["security.protocol", "ssl.ca.location"])
        #expect(settings.map(\.value) == ["SSL", "/etc/a=b.pem"])
        #expect(throws: KafkaError.propertiesFile(path: "p", reason: "line 2 must have the form name=value")) {
            try PropertiesFile.parse("a=1\nb", path: "p")
        }
        #expect(throws: KafkaError.propertiesFile(path: "/nowhere", reason: "No such file or directory")) {
            try KafkaConfiguration(brokers: "localhost:9092", properties: "/nowhere")
        }
    }
}
