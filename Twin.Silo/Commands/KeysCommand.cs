using System.CommandLine;
using Twin.Ingest.Dlms;
using Twin.Ingest.Feed;

namespace Twin.Silo.Commands;

/// <summary>
/// <c>metertwin keys</c>: the file of symmetric keys of the keyed mode. Shows fingerprints, never keys.
/// </summary>
internal static class KeysCommand
{
    private sealed record Imported(int Keys, long Rejected);

    public static Command Make() => new("keys", "The key file that opens ciphered frames.")
    {
        Init(), Import(), List(),
    };

    private static Argument<string> File() => new("file") { Description = "the key file" };

    private static string Passphrase() => KeyPassphrase.Find(Environment.GetEnvironmentVariable);

    private static Command Init()
    {
        var file = File();
        var command = new Command("init", "Make an empty key file.") { file };
        command.SetAction((p, _) => Cli.Guarded(() =>
        {
            var path = p.GetValue(file)!;
            if (System.IO.File.Exists(path))
                throw new KeyFileException($"{path}: is there already. Remove it first if its keys are not needed.");
            using var keys = new KeyFile();
            keys.Save(path, Passphrase());
            Console.WriteLine($"✓ {path}: empty, mode 600. Next: metertwin keys import {path} KEYS.csv");
            return Task.FromResult(Cli.Ok);
        }));
        return command;
    }

    private static Command Import()
    {
        var file = File();
        var source = new Argument<string>("source")
        {
            Description = "meter,slot,key as CSV or NDJSON; keys in hexadecimal; mode 600",
        };
        var command = new Command("import", "Add keys to a key file; a key that is there is replaced.")
        {
            file, source, Cli.JsonFlag,
        };
        command.SetAction((p, _) => Cli.Guarded(() =>
        {
            var path = p.GetValue(file)!;
            using var keys = KeyFile.Load(path, Passphrase());
            using var rejects = new Rejects(null);
            var read = KeySource.Read(p.GetValue(source)!, keys, rejects);
            if (read > 0) keys.Save(path, Passphrase());
            if (p.GetValue(Cli.JsonFlag)) Cli.Print(new Imported(read, rejects.Rows));
            else Console.WriteLine($"✓ {read} keys imported, {rejects.Rows} rejected; remove the source now");
            foreach (var reject in rejects.First) Cli.Message("rejected: " + reject);
            return Task.FromResult(rejects.Rows == 0 ? Cli.Ok : Cli.Unusable);
        }));
        return command;
    }

    private static Command List()
    {
        var file = File();
        var command = new Command("list", "Meters, slots and fingerprints of a key file.") { file, Cli.JsonFlag };
        command.SetAction((p, _) => Cli.Guarded(() =>
        {
            using var keys = KeyFile.Load(p.GetValue(file)!, Passphrase());
            var list = keys.List();
            if (p.GetValue(Cli.JsonFlag)) Cli.Print(list);
            else
                foreach (var k in list)
                    Console.WriteLine($"{k.Meter}  {k.Slot}  {k.Bits} bits  fingerprint {k.Fingerprint}");
            return Task.FromResult(Cli.Ok);
        }));
        return command;
    }
}
