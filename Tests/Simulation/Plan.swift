import Domain
import TestSupport

/// What may happen in one simulation. Each seed has a few kinds of trouble, some none, so that every
/// kind is met alone and with others.
struct Plan {
    var steps: Int
    /// Crashes, in per mille of the steps; and whether the power goes, too.
    var crashes = 0
    var cutsPower = false
    /// Crashes in the middle of writing to the disk.
    var diesWriting = false
    /// Somebody sets the clock.
    var setsClock = false
    /// Hours and days pass between steps.
    var leaps = false
    /// Changes of the disk fail for a while.
    var diskFails = false
    /// And every now and then.
    var diskFailsOften = false
    var redirectsOnFailure = true
    /// After so many days a day's clicks are deleted.
    var retentionDays: Int?
    /// Somebody pauses, resumes, retries and cancels.
    var isOperated = false
    var concurrency: Int
    var windowMax: Int
    /// How much comes in, in per cent of the steps.
    var traffic: Int

    init(_ random: inout SeededRandom) {
        steps = Int.random(in: 80...200, using: &random)
        concurrency = [1, 2, 8, 256].randomElement(using: &random) ?? 8
        windowMax = [4, 8, 1024].randomElement(using: &random) ?? 8
        traffic = Int.random(in: 10...45, using: &random)
        if Int.random(in: 0..<4, using: &random) > 0 {
            crashes = Int.random(in: 5...40, using: &random)
            cutsPower = Bool.random(using: &random)
            diesWriting = Bool.random(using: &random)
        }
        setsClock = Int.random(in: 0..<4, using: &random) == 0
        leaps = Bool.random(using: &random)
        isOperated = Int.random(in: 0..<3, using: &random) == 0
        diskFails = Int.random(in: 0..<4, using: &random) == 0
        if leaps, Int.random(in: 0..<3, using: &random) == 0 {
            retentionDays = Int.random(in: 1...4, using: &random)
        }
        redirectsOnFailure = Bool.random(using: &random)
    }

    /// Much of one kind of trouble: the disk fails, and then the power.
    mutating func failDisk() {
        diskFails = true
        diskFailsOften = true
        cutsPower = true
        crashes = 25
        setsClock = false
        leaps = false
        retentionDays = nil
        traffic = 30
    }

    static func mood(_ random: inout SeededRandom) -> Receivers.Mood {
        var mood = Receivers.Mood.well
        func some(_ most: Int) -> Int {
            Bool.random(using: &random) ? 0 : Int.random(in: 1...most, using: &random)
        }
        switch Int.random(in: 0..<6, using: &random) {
        case 0: break
        case 1: mood.refusesConnections = 100
        case 2: mood.serverErrors = 100
        default:
            mood.refusesConnections = some(30)
            mood.hangs = some(20)
            mood.failsToResolve = some(20)
            mood.breaksOff = some(30)
            mood.answersHalf = some(20)
            mood.answersNonsense = some(10)
            mood.answersLate = some(40)
            mood.serverErrors = some(40)
            mood.clientErrors = some(20)
            mood.tooMany = some(20)
            mood.gone = some(5)
            mood.redirects = some(10)
            mood.closes = some(40)
        }
        return mood
    }
}
