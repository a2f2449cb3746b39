import ChaosSimulation
import Commands
import Synchronization
import Testing

@Suite struct SimulateCommandTests {
    private final class Lines: Sendable {
        let all = Mutex<[String]>([])
    }

    private func run(_ arguments: [String]) async throws -> (isFine: Bool, text: String) {
        let lines = Lines()
        var words = Arguments(arguments)
        let command = try SimulateCommand(&words, threads: 2)
        let isFine = await command.run(
            print: { line in lines.all.withLock { $0.append(line) } }, time: { .zero })
        return (isFine, lines.all.withLock { $0.joined(separator: "\n") })
    }

    @Test func `figures are the same with one thread and with two`() async throws {
        let one = try await run(["--seeds", "2", "--threads", "1"])
        let two = try await run(["--seeds", "2", "--threads", "2"])
        #expect(one.isFine && two.isFine)
        #expect(one.text == two.text)
        #expect(one.text.contains("2 seeds in"))
    }

    @Test func `what fails is told with its faults`() async throws {
        // Some of them part a client from its node.
        let result = try await run(["--seeds", "40", "--variant", "resumesFromLatest"])
        #expect(!result.isFine)
        #expect(result.text.contains(#/seed \d+ fails/#))
        #expect(result.text.contains("with these faults alone"))
    }

    @Test(arguments: [["--seeds"], ["--seeds", "-1"], ["--variant", "none"], ["--colour"]])
    func `what makes no sense is said`(arguments: [String]) {
        var words = Arguments(arguments)
        #expect(throws: UsageError.self) { try SimulateCommand(&words) }
    }
}
