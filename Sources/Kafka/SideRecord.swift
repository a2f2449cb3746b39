/// A record that nothing in the cluster waits for: a dead letter, or an output for other programs. Every replica makes the
/// same, the leader writes it; its key and headers name it, so that it may be written twice.
package struct SideRecord: Sendable, Equatable {
    package let topic: String
    package let key: [UInt8]?
    package let value: [UInt8]?
    package let headers: [Header]

    package struct Header: Sendable, Equatable {
        package let name: String
        package let value: String

        package init(_ name: String, _ value: String) {
            self.name = name
            self.value = value
        }
    }

    package init(topic: String, key: [UInt8]?, value: [UInt8]?, headers: [Header]) {
        self.topic = topic
        self.key = key
        self.value = value
        self.headers = headers
    }
}
