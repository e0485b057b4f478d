using System.Text;
using Twin.Grains;
using Twin.Grains.Ledger;
using Twin.Grains.Policies;
using Twin.Hardware;
using Twin.Hardware.Coding;
using Twin.Silo.Embedded;
using Twin.Silo.Storage;

namespace Twin.Silo.Tests.Ledger;

/// <summary>An exported ledger shows every change, whoever made it and wherever.</summary>
public sealed class LedgerFileTests : IDisposable
{
    private const ulong Seed = 611;
    private readonly TestDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    private static byte[] Export(EmbeddedFleet fleet)
    {
        fleet.SealNow();
        var to = new StringWriter();
        LedgerFile.Write(fleet.Ledger, to);
        return Encoding.UTF8.GetBytes(to.ToString());
    }

    private static (LedgerReport Report, List<string> Problems) Check(byte[] file, byte[]? key = null)
    {
        var problems = new List<string>();
        var report = LedgerFile.Check(() => new MemoryStream(file),
            SealTrust.Anybody with { Keys = key is null ? [] : [key] }, problems.Add);
        return (report, problems);
    }

    /// <summary>One request and its answer: few entries of most kinds.</summary>
    private async Task<(byte[] File, byte[] Key)> Small()
    {
        await using var fleet = AnsweredFleet.Open(_directory.Sub("small"));
        await AnsweredFleet.Found(fleet, 1);
        await AnsweredFleet.Do(fleet, AnsweredFleet.Ask(0, 0, ResponseRung.Disconnect));
        await AnsweredFleet.Sweep(fleet, 60);
        await AnsweredFleet.Approve(fleet, 90, AnsweredFleet.Bert);
        return (Export(fleet), fleet.PublicKey);
    }

    [Fact]
    public async Task ASoundLedgerIsFoundSoundAndItsDecisionsAreMadeAgain()
    {
        await using var fleet = AnsweredFleet.Open(_directory.Sub("live"));
        await AnsweredFleet.Live(fleet);
        var (report, problems) = Check(Export(fleet), fleet.PublicKey);
        Assert.Empty(problems);
        Assert.Equal(fleet.Ledger.End.Number, report.Entries);
        Assert.Equal(Convert.ToHexStringLower(fleet.Ledger.End.Hash), report.Hash);
        Assert.Equal(report.Entries, report.Sealed);
        Assert.Equal([LedgerSeal.FingerprintOf(fleet.PublicKey)], report.Keys);
        var kinds = All(fleet).Select(e => e.Entry.Kind).ToHashSet();
        Assert.Equal(Enum.GetValues<LedgerKind>().ToHashSet(), kinds);
        Assert.Equal(All(fleet).Count(e => e.Entry.Kind == LedgerKind.Decision), report.Decided);
    }

    private static List<StoredEntry> All(IFleet fleet)
    {
        var all = new List<StoredEntry>();
        IReadOnlyList<StoredEntry> page;
        while ((page = fleet.Ledger.Entries(all.Count, 7)).Count > 0) all.AddRange(page);
        return all;
    }

    [Fact]
    public async Task EverySingleByteCounts()
    {
        var (file, key) = await Small();
        Assert.Empty(Check(file, key).Problems);
        var chance = new SplitMix64(Seed);
        for (var i = 0; i < file.Length; i++)
        {
            var was = file[i];
            file[i] ^= (byte)(1 + chance.Next(255));
            Assert.True(Check(file).Problems.Count > 0, $"byte {i}: {was} became {file[i]} (seed {Seed})");
            file[i] = was;
        }
    }

    [Fact]
    public async Task LinesTakenOutMovedDoubledOrCutOffAreNamed()
    {
        var (file, _) = await Small();
        var lines = Encoding.UTF8.GetString(file).TrimEnd('\n').Split('\n');
        string Problem(IEnumerable<string> changed, string end = "\n") =>
            Assert.Single(Check(Encoding.UTF8.GetBytes(string.Join('\n', changed) + end)).Problems);

        for (var i = 1; i < lines.Length; i++)
        {
            var at = i;
            Assert.NotEqual("", Problem(lines.Where((_, n) => n != at)));
            Assert.NotEqual("", Problem(lines.Take(at)));
            if (at + 1 < lines.Length)
                Assert.NotEqual("", Problem([.. lines[..at], lines[at + 1], lines[at], .. lines[(at + 2)..]]));
            if (lines[at].Contains("\"number\"", StringComparison.Ordinal))
                Assert.Contains("stands where entry", Problem([.. lines[..(at + 1)], .. lines[at..]]));
        }
        Assert.Contains("entry 3 stands where entry 2 must", Problem([.. lines[..2], .. lines[3..]]));
        Assert.Contains("cut short", Problem(lines, ""));
        Assert.Contains("cut short", Problem(lines, "\nmore"));
        Assert.Contains("the file is empty", Check([]).Problems.Single());
        Assert.Contains("it proves nothing", Problem([
            $"{{\"metertwin_ledger\":1,\"entries\":0,\"seals\":0,\"hash\":\"{new string('0', 64)}\"}}"]));
        Assert.Contains("sealed twice", Problem([.. lines, lines[^1]]));
        Assert.Contains("no ledger", Problem(["{}"]));
        Assert.Contains("line 1", Problem(["who reads this?"]));
    }

    [Fact]
    public async Task ASealOfAnotherKeyIsNotTrusted()
    {
        var (file, key) = await Small();
        using var other = LedgerKey.OpenOrMake(_directory.Sub("other.key"));
        var problem = Assert.Single(Check(file, other.Public).Problems);
        Assert.Contains($"sealed by key {LedgerSeal.FingerprintOf(key)}", problem);
    }

    /// <summary>Whoever has the key writes a chain that holds: what was decided still does not follow.</summary>
    [Theory]
    [InlineData("rung", "decided again from the same facts")]
    [InlineData("policy", "which no entry before it has")]
    [InlineData("freeze", "no entry before it froze anything")]
    [InlineData("cover", "which no entry before it has")]
    public async Task ADecisionThatDoesNotFollowIsNamedThoughTheChainHolds(string change, string expected)
    {
        await Small();
        await using var fleet = AnsweredFleet.Open(_directory.Sub("small"));
        var entries = All(fleet);
        var at = entries.FindIndex(e => e.Entry.Kind == LedgerKind.Decision);
        var record = DecisionRecord.Read(entries[at].Entry.Body);
        var d = record.Decision;
        d = change switch
        {
            "rung" => d with { Rung = d.Rung == ResponseRung.Log ? ResponseRung.Disconnect : ResponseRung.Log },
            "policy" => d with { PolicyDigest = new string('0', 64) },
            "freeze" => d with { HoldAll = true },
            _ => d with { Verdict = CaseVerdict.Suppressed, Covered = "S-9" },
        };
        var body = new ByteWriter();
        (record with { Decision = d }).Write(body);
        var replay = new LedgerReplay();
        var problems = entries.Select((e, i) => i == at ? e with { Entry = e.Entry with { Body = body.ToArray() } } : e)
            .Select(e => replay.Problem(e) is { } p ? $"entry {e.Number}: {p}" : null).OfType<string>().ToList();
        var problem = Assert.Single(problems);
        Assert.StartsWith($"entry {at + 1}: ", problem);
        Assert.Contains(expected, problem);
    }
}
