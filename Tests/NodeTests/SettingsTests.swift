import Foundation
import Node
import Testing

@Suite struct SettingsTests {
    private func config(_ arguments: [String] = [], _ environment: [String: String] = [:]) throws -> NodeConfig {
        try NodeConfig(
            Settings(table: SettingsTable.node, arguments: arguments, environment: environment), hostName: "pit")
    }

    @Test func `a flag wins over the environment, and that over Pitwall's name and the default`() throws {
        #expect(try config().port == 8_081)
        #expect(try config([], ["PORT": "1"]).port == 1)
        #expect(try config([], ["PORT": "1", "SLIPSTREAM_PORT": "2"]).port == 2)
        #expect(try config(["--port", "3"], ["SLIPSTREAM_PORT": "2"]).port == 3)
        #expect(try config(["--port=4"]).port == 4)
    }

    @Test(arguments: [
        (["--port", "70000"], "--port is '70000'; it must be a whole number in 0…65535"),
        (["--udp", "maybe"], "--udp is 'maybe'; it must be one of on, off"),
        (["--ws-path", "ws"], "--ws-path is 'ws'; it must be a path that begins with /"),
        (["--port"], "--port needs a value"), (["--prot", "1"], "there is no --prot"),
        (["--ring-bytes", "2000000", "--ring-bytes-total", "1048576"], "at least --ring-bytes (2000000)"),
    ])
    func `what is not allowed is named with its value and what is`(arguments: [String], message: String) {
        #expect {
            try config(arguments)
        } throws: { "\($0)".contains(message) }
    }

    @Test func `an environment variable that is wrong is called by its own name`() {
        #expect {
            try config([], ["UDP_PORT": "x"])
        } throws: { "\($0)".contains("UDP_PORT is 'x'") }
    }

    @Test func `the settings page is what the table says`() throws {
        let page = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().appendingPathComponent("docs/settings.md")
        #expect(try String(contentsOf: page, encoding: .utf8) == SettingsTable.markdown())
    }
}
