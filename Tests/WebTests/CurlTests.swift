import Foundation
import Testing
import Web

/// What people type. `curl` waits for leave to send a body of more than 1 MiB.
@Suite(.enabled(if: FileManager.default.isExecutableFile(atPath: "/usr/bin/curl"), "there is no curl here"))
struct CurlTests {
    @Test(arguments: [
        ("200", ["-d", "{}"]), ("200", ["-X", "POST"]), ("200", ["-0", "-d", "x"]), ("200", ["-T", "FILE"]),
        ("200", ["--data-binary", "@FILE"]), ("413", ["--data-binary", "@LARGE"]),
        ("411", ["-H", "Transfer-Encoding: chunked", "-d", "abc"]),
    ])
    func `curl gets its answer`(status: String, arguments: [String]) throws {
        let server = try TestServer { $0.maxBodyBytes = 3_000_000 }
        let folder = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { #expect(throws: Never.self) { try FileManager.default.removeItem(at: folder) } }
        try Data(repeating: 0x61, count: 3_000_000).write(to: folder.appending(path: "FILE"))
        try Data(repeating: 0x61, count: 3_000_001).write(to: folder.appending(path: "LARGE"))
        let url = "http://127.0.0.1:\(server.server.port)/echo"
        let output = try run(
            ["-s", "-o", "answer", "-m", "10", "-w", "%{http_code} %{time_total}"] + arguments + [url], in: folder)
        #expect(output.hasPrefix(status + " "))
        #expect(
            Double(output.split(separator: " ").last ?? "").map { $0 < 0.9 } == true, "curl waited a second for leave")
    }

    private func run(_ arguments: [String], in folder: URL) throws -> String {
        let process = Process()
        let pipe = Pipe()
        process.executableURL = URL(filePath: "/usr/bin/curl")
        process.arguments = arguments
        process.currentDirectoryURL = folder
        process.standardOutput = pipe
        try process.run()
        let output = pipe.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        return String(decoding: output, as: UTF8.self)
    }
}
