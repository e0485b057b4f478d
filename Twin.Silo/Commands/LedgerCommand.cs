using System.CommandLine;
using System.Text;
using Twin.Grains.Ledger;
using Twin.Hardware;
using Twin.Hardware.Signatures;
using Twin.Silo.Soc;
using Twin.Silo.Storage;

namespace Twin.Silo.Commands;

/// <summary><c>metertwin ledger</c>: the record of what was found, decided and done.</summary>
internal static class LedgerCommand
{
    public static Command Make() => new Command("ledger", "The record of what was found, decided and done.")
    {
        List(), Export(), Key(),
    };

    private static Command List()
    {
        var flags = new ActFlags();
        var of = new Option<string?>("--case") { Description = "only entries of this case" };
        var after = new Option<long>("--after") { Description = "only entries after this number" };
        var limit = new Option<int>("--limit")
        {
            Description = "most entries, 1 to 10000", DefaultValueFactory = _ => 100,
        };
        var command = new Command("list", "Show entries in order.")
        {
            of, after, limit, flags.Data, flags.LedgerKey, Cli.JsonFlag,
        };
        command.SetAction((p, _) => Cli.Guarded(async () =>
        {
            await using var fleet = flags.Open(p);
            var most = p.GetValue(limit) is >= 1 and <= 10_000 and var n ? n
                : throw new ArgumentException("--limit goes from 1 to 10000.");
            var entries = p.GetValue(of) is { } id
                ? fleet.Ledger.EntriesOf(ActFlags.CaseOf(id).Key, 10_000).Where(e => e.Number > p.GetValue(after))
                    .Take(most).ToList()
                : fleet.Ledger.Entries(p.GetValue(after), most);
            if (p.GetValue(Cli.JsonFlag))
                Cli.Print(entries.Select(e => new
                {
                    e.Number, At = e.Entry.At.ToString(), Kind = SnakeCase.Of(e.Entry.Kind),
                    Case = CaseOf(e), Text = LedgerWords.Of(e.Entry).Text, Hash = Convert.ToHexStringLower(e.Hash),
                }));
            else if (entries.Count == 0) Console.WriteLine("no entries");
            else
                foreach (var e in entries)
                    Console.WriteLine($"{e.Number,8}  {e.Entry.At}  {SnakeCase.Of(e.Entry.Kind),-9} {CaseOf(e),-16}  "
                        + LedgerWords.Of(e.Entry).Text);
            return Cli.Ok;
        }));
        return command;
    }

    private static string CaseOf(StoredEntry e) => e.Entry.Case.Kind == 0 ? "" : $"{e.Entry.Case.Id:x16}";

    private static Command Export()
    {
        var flags = new ActFlags();
        var to = new Option<string>("--out") { Description = "file to write", Required = true };
        var command = new Command("export",
            "Seal the ledger and write it to a file that 'metertwin verify --ledger' checks anywhere.")
        {
            to, flags.Data, flags.LedgerKey,
        };
        command.SetAction((p, _) => Cli.Guarded(async () =>
        {
            var fleet = flags.Open(p);
            long entries = 0;
            await using (fleet)
            {
                fleet.RequireSoundLedger();
                fleet.SealNow();
                AtomicFile.Write(Path.GetFullPath(p.GetValue(to)!), stream =>
                {
                    using var writer = new StreamWriter(stream, new UTF8Encoding(false), 1 << 16, leaveOpen: true);
                    entries = LedgerFile.Write(fleet.Ledger, writer);
                });
                Console.WriteLine($"✓ {entries} entries in {p.GetValue(to)}, sealed by key "
                    + LedgerSeal.FingerprintOf(fleet.PublicKey));
            }
            return Cli.Ok;
        }));
        return command;
    }

    private static Command Key()
    {
        var flags = new ActFlags();
        var make = new Option<bool>("--post-quantum")
        {
            Description = "make a key of ML-DSA-65 beside it when there is none: seals have signatures of both from "
                + "then on (edition full)",
        };
        var command = new Command("key",
            "Print the public keys that seal this directory's ledger (PEM): keep them where auditors find them.")
        {
            make, flags.Data, flags.LedgerKey,
        };
        command.SetAction((p, _) => Cli.Guarded(async () =>
        {
            if (p.GetValue(make)) MakeOther(Cli.Settings(p, flags.Data, flags.LedgerKey));
            await using var fleet = flags.Open(p);
            Print(fleet.PublicKey, LedgerSeal.FingerprintOf(fleet.PublicKey));
            if (fleet.PublicOther is { } other)
                Print(MlDsaForms.PublicInfo(other.Key.Span), LedgerSeal.FingerprintOf(other.Key.ToArray()) + " "
                    + SignatureRules.NameOf(other.Algorithm));
            return Cli.Ok;
        }));
        return command;
    }

    private static void MakeOther(Settings settings)
    {
        using (DataDirectory.Open(settings.Data, mustExist: true)) { }
        var file = settings.LedgerKeyFile ?? Path.Combine(Path.GetFullPath(settings.Data), LedgerKey.FileName);
        if (LedgerKey.MakeOther(file)) Cli.Message($"made {file}{LedgerKey.PostQuantumSuffix}");
    }

    private static void Print(byte[] info, string fingerprint)
    {
        Console.WriteLine(new string(System.Security.Cryptography.PemEncoding.Write("PUBLIC KEY", info)));
        Cli.Message("fingerprint " + fingerprint);
    }
}
