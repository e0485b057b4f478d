using System.CommandLine;
using System.Globalization;
using System.Security.Cryptography;
using Twin.Grains;
using Twin.Hardware.Signatures;
using Twin.Ingest.Text;
using Twin.Silo.Embedded;
using Twin.Silo.Storage;

namespace Twin.Silo.Commands;

/// <summary><c>metertwin verify</c>.</summary>
internal static class VerifyCommand
{
    public static Command Make()
    {
        var (data, shards) = (Cli.Flag("data"), Cli.Flag("shards"));
        var ledger = new Option<string?>("--ledger")
        {
            Description = "check this file of 'metertwin ledger export' instead of a data directory",
        };
        var key = new Option<string[]>("--key")
        {
            Description = "public key (PEM) that may have sealed the file; give it for each (default: any, printed)",
        };
        var signatures = new Option<string?>("--signatures")
        {
            Description = "what the last seal must have: ecdsa, both, post-quantum (default: both when --key names a "
                + "key of ML-DSA that this edition can check with, else ecdsa)",
        };
        var command = new Command("verify",
            "Check journal and ledger, rebuild every twin from the journal and compare. Exit 1 on any difference.")
        {
            data, shards, ledger, key, signatures, Cli.JsonFlag,
        };
        command.SetAction((p, _) => Cli.Guarded(() =>
        {
            if (p.GetValue(ledger) is { } file)
                return Task.FromResult(CheckFile(file, Trust(p.GetValue(key) ?? [], p.GetValue(signatures)),
                    p.GetValue(Cli.JsonFlag)));
            if (p.GetValue(key) is { Length: > 0 } || p.GetValue(signatures) is not null)
                throw new ArgumentException("--key and --signatures go with --ledger: a directory seals with its own "
                    + "key.");
            var settings = Cli.Settings(p, data, shards);
            var report = Verifier.Run(settings.Data, settings.Shards, new TwinFactory(), Cli.Message);
            if (p.GetValue(Cli.JsonFlag)) Cli.Print(report);
            else Print(report);
            return Task.FromResult(report.Differences.Count == 0 ? Cli.Ok : Cli.Differences);
        }));
        return command;
    }

    private static SealTrust Trust(string[] files, string? signatures)
    {
        var keys = files.Select(PublicKeys).ToList();
        SignaturePolicy? policy = signatures switch
        {
            null => null,
            "ecdsa" => SignaturePolicy.Classical,
            "both" => SignaturePolicy.Both,
            "post-quantum" => SignaturePolicy.PostQuantum,
            _ => throw new ArgumentException($"--signatures is '{signatures}'; it must be ecdsa, both or "
                + "post-quantum."),
        };
        return new SealTrust([.. keys.SelectMany(k => k.Keys)], [.. keys.SelectMany(k => k.Others)], policy,
            Edition.Signatures);
    }

    private static int CheckFile(string file, SealTrust trust, bool asJson)
    {
        var problems = new List<string>();
        var report = LedgerFile.Check(() => File.OpenRead(file), trust,
            p => { if (problems.Count < Verifier.MaxDifferences) problems.Add(p); });
        var isTrusted = trust.Keys.Count + trust.Others.Count > 0;
        if (asJson) Cli.Print(new { Ledger = report, Differences = problems, Trusted = isTrusted });
        else if (problems.Count == 0)
        {
            Print(report);
            if (!isTrusted && report.Keys.Count > 0)
                Console.WriteLine("  The keys are taken from the file itself: compare them with what "
                    + "'metertwin ledger key' printed, or give that by --key.");
        }
        foreach (var problem in asJson ? [] : problems) Console.WriteLine("✗ " + problem);
        return problems.Count == 0 ? Cli.Ok : Cli.Differences;
    }

    private static (List<byte[]> Keys, List<KnownKey> Others) PublicKeys(string file)
    {
        try
        {
            return SealTrust.ReadKeys(BoundedFile.ReadText(file, BoundedFile.SmallBytes));
        }
        catch (Exception e) when (e is CryptographicException or ArgumentException)
        {
            throw new ArgumentException($"{file} is no public key in PEM, as 'metertwin ledger key' prints it.");
        }
    }

    private static void Print(LedgerReport r)
    {
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"✓ {r.Entries:n0} entries of the ledger follow from each other, {r.Decided:n0} decisions made again are "
                + $"the same; hash {r.Hash}"));
        if (r.Others > 0)
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
                $"  {r.Others:n0} decisions were made by other versions' rules and not made again"));
        foreach (var key in r.Keys) Console.WriteLine("  sealed by key " + key);
        foreach (var line in r.Signatures) Console.WriteLine("  " + line);
    }

    private static void Print(VerifyReport r)
    {
        if (r.Differences.Count == 0)
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
                $"✓ {r.Twins:n0} twins rebuilt from {r.Position:n0} inputs are the same; state_hash {r.StateHash}"));
        if (r.Ledger is { } ledger && r.Differences.Count == 0) Print(ledger);
        foreach (var difference in r.Differences) Console.WriteLine("✗ " + difference);
        foreach (var erased in r.Erased) Console.WriteLine("  erased: " + erased);
    }
}
