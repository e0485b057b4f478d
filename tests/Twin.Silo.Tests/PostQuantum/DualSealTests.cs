using System.Text;
using Twin.Grains;
using Twin.Grains.Ledger;
using Twin.Hardware;
using Twin.Hardware.Signatures;
using Twin.Silo.Embedded;
using Twin.Silo.Storage;
using Twin.Silo.Tests.Answers;
using Twin.Silo.Tests.Ledger;

namespace Twin.Silo.Tests.PostQuantum;

/// <summary>A ledger that is sealed by ECDSA and ML-DSA, as a directory, as a file and by the command line.</summary>
public sealed class DualSealTests : IDisposable
{
    private readonly TestDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    private static byte[] Export(EmbeddedFleet fleet)
    {
        fleet.SealNow();
        var to = new StringWriter();
        LedgerFile.Write(fleet.Ledger, to);
        return Encoding.UTF8.GetBytes(to.ToString());
    }

    private static (LedgerReport Report, List<string> Problems) Check(byte[] file, SealTrust trust)
    {
        var problems = new List<string>();
        return (LedgerFile.Check(() => new MemoryStream(file), trust, problems.Add), problems);
    }

    private static VerifyReport Verify(string path) => Verifier.Run(path, 3, new TwinFactory(), _ => { });

    /// <summary>Something for the ledger.</summary>
    private static Task Act(EmbeddedFleet fleet, int number) => AnsweredFleet.Do(fleet, new Suppression(
        new UnixTime(AnsweredFleet.Morning + number), AnsweredFleet.Anna, $"S-{number}", null, null, "feeder:F9",
        new UnixTime(AnsweredFleet.Morning), new UnixTime(AnsweredFleet.Morning + 3_600), "known"));

    /// <summary>An old directory, sealed once by ECDSA, that gets the further key and is sealed by both.</summary>
    private async Task<(string Path, byte[] File, SealTrust Trust)> Migrated()
    {
        var path = _directory.Sub("live");
        await using (var fleet = AnsweredFleet.Open(path))
        {
            await AnsweredFleet.Found(fleet, 1);
            await Act(fleet, 1);
        }
        var key = System.IO.Path.Combine(path, LedgerKey.FileName);
        Assert.True(LedgerKey.MakeOther(key));
        Assert.False(LedgerKey.MakeOther(key));
        if (!OperatingSystem.IsWindows())
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite,
                File.GetUnixFileMode(key + LedgerKey.PostQuantumSuffix));
        await using var again = AnsweredFleet.Open(path);
        await Act(again, 2);
        return (path, Export(again), new SealTrust([again.PublicKey], [again.PublicOther!], null, Edition.Signatures));
    }

    [Fact]
    public async Task OldSealsStayAndNewOnesAreOfBoth()
    {
        var (path, file, trust) = await Migrated();
        var (report, problems) = Check(file, trust);
        Assert.Empty(problems);
        string[] expected =
        [
            $"ECDSA signature of key {report.Keys.Single()} checked in 2 seals",
            $"ML-DSA-65 signature of key {LedgerSeal.FingerprintOf(trust.Others[0].Key.ToArray())} checked in 1 seal",
        ];
        Assert.Equal(expected, report.Signatures);
        var verified = Verify(path);
        Assert.Empty(verified.Differences);
        Assert.Equal(expected, verified.Ledger!.Signatures);
        Assert.StartsWith("{\"metertwin_ledger\":2,", Encoding.UTF8.GetString(file));

        // The same file where ML-DSA is not known.
        var classical = trust with { Suite = SignatureSuite.Classical };
        (report, problems) = Check(file, classical);
        Assert.Empty(problems);
        Assert.EndsWith("present in 1 seal, not checked by this edition", report.Signatures[1]);
        Assert.Contains("cannot be checked by this edition",
            Assert.Single(Check(file, classical with { Policy = SignaturePolicy.Both }).Problems));
    }

    [Fact]
    public async Task EveryByteOfADualSealCounts()
    {
        var (_, file, _) = await Migrated();
        var last = file.AsSpan(0, file.Length - 1).LastIndexOf((byte)'\n') + 1;
        for (var i = last; i < file.Length; i += i < last + 400 ? 7 : 101)
        {
            file[i] ^= 2;
            Assert.True(Check(file, SealTrust.Anybody).Problems.Count > 0, $"byte {i - last} of the seal");
            file[i] ^= 2;
        }
        Assert.Empty(Check(file, SealTrust.Anybody).Problems);
    }

    /// <summary>Whoever broke ECDSA seals anew without the key that he has not: a reader who has it is told.</summary>
    [Fact]
    public async Task AStrippedLedgerIsRefusedByWhoeverKnowsTheKey()
    {
        var (path, _, trust) = await Migrated();
        File.Delete(Path.Combine(path, LedgerKey.FileName + LedgerKey.PostQuantumSuffix));
        byte[] file;
        await using (var fleet = AnsweredFleet.Open(path))
        {
            await Act(fleet, 3);
            file = Export(fleet);
        }
        Assert.Empty(Check(file, SealTrust.Anybody).Problems);
        Assert.Contains("has no good post-quantum signature: it was taken away, or an edition sealed that makes none",
            Assert.Single(Check(file, trust).Problems));
    }

    [Fact]
    public async Task ADirectoryThatHasTheKeyIsNotSealedWithoutIt()
    {
        var (path, _, _) = await Migrated();
        var key = Path.Combine(path, LedgerKey.FileName + LedgerKey.PostQuantumSuffix);
        File.Move(key, key + ".away");
        await using (var fleet = AnsweredFleet.Open(path)) await Act(fleet, 3);
        Assert.Empty(Verify(path).Differences);
        File.Move(key + ".away", key);
        Assert.Contains("have no ML-DSA-65 signature, and the directory has the key",
            Assert.Single(Verify(path).Differences));
        await using (var fleet = AnsweredFleet.Open(path)) await Act(fleet, 4);
        Assert.Empty(Verify(path).Differences);
        File.WriteAllText(key, "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n");
        Assert.Contains("is no private key of ML-DSA-65",
            Assert.Throws<DataDirectoryException>(() => AnsweredFleet.Open(path)).Message);
    }

    [Fact]
    public async Task TheCommandLineMakesPrintsAndChecksBothKeys()
    {
        using var directory = await AnsweredDirectory.Copy();
        string[] With(params string[] args) => [.. args, "--data", directory.Path];
        var (file, old, both) = (directory.Sub("ledger.ndjson"), directory.Sub("old.pem"), directory.Sub("both.pem"));
        await File.WriteAllTextAsync(old, await InProcess.Well(With("ledger", "key")));
        await File.WriteAllTextAsync(both, await InProcess.Well(With("ledger", "key", "--post-quantum")));
        Assert.Equal(2, File.ReadAllText(both).Split("BEGIN PUBLIC KEY").Length - 1);
        Assert.Equal(File.ReadAllText(both), await InProcess.Well(With("ledger", "key", "--post-quantum")));
        await InProcess.Well(With("case", "ack", AnsweredDirectory.Case(1)));
        await InProcess.Well(With("ledger", "export", "--out", file));
        Assert.Contains("ML-DSA-65 signature of key ",
            await InProcess.Well("verify", "--ledger", file, "--key", both, "--signatures", "post-quantum"));
        await InProcess.Well("verify", "--ledger", file, "--key", old);
        await InProcess.Well("verify", "--ledger", file, "--key", both);
        Assert.Contains("it must be ecdsa, both or post-quantum",
            await InProcess.Wrong("verify", "--ledger", file, "--signatures", "all"));
        // A backup has neither key.
        var (backup, back) = (directory.Sub("backup"), directory.Sub("back"));
        await InProcess.Well("backup", backup, "--data", directory.Path);
        File.Copy(Path.Combine(directory.Path, LedgerKey.FileName + LedgerKey.PostQuantumSuffix),
            Path.Combine(backup, LedgerKey.FileName + LedgerKey.PostQuantumSuffix));
        await InProcess.Well("restore", backup, "--data", back);
        Assert.Empty(Directory.EnumerateFiles(back, LedgerKey.FileName + "*"));
    }
}
