using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Twin.Api;
using Twin.Grains;
using Twin.Hardware;
using Twin.Silo.Storage;

namespace Twin.Silo.Demo;

/// <summary>
/// Who works in the demo: an operator, two who approve, an admin. They have their roles since the emulated world began,
/// so that approvals count at once. Their keys are in files that only the user may read.
/// </summary>
internal static class DemoPersons
{
    /// <summary>Folder of the keys in the data directory.</summary>
    public const string Folder = "keys";

    private static readonly (string Name, string File, Role Role)[] s_persons =
    [
        ("Anna Berg", "anna.key", Role.Operator), ("Ben Cole", "ben.key", Role.Approver),
        ("Cleo Diaz", "cleo.key", Role.Approver), ("Dora Eng", "dora.key", Role.Admin),
    ];

    /// <summary>Who the one-time link signs in, and who approves.</summary>
    public static string First => s_persons[0].Name;

    private static readonly Actor s_demo = new("demo", "demo");

    /// <summary>Adds them as of a time, and writes their keys.</summary>
    public static async Task Add(IFleet fleet, string data, UnixTime at, CancellationToken cancel)
    {
        var folder = Path.Combine(data, Folder);
        DataDirectory.CreatePrivate(folder);
        var batch = new InputBatch("demo");
        foreach (var (name, file, role) in s_persons)
        {
            batch.Add(new HolderSet(at, s_demo, name, false, role, [], false, false, "works in the demo"));
            var (text, made) = ApiKey.Make(at, s_demo, name, null, "works in the demo");
            batch.Add(made);
            PrivateFile.Write(Path.Combine(folder, file), text);
        }
        await fleet.Append(batch, cancel);
    }

    /// <summary>What is printed: a link that signs in once, and where the keys are.</summary>
    public static string[] Lines(WebApplication app, string data)
    {
        var link = app.Services.GetRequiredService<Sessions>().MakeLink(First);
        return
        [
            $"  open     {ApiHost.Address(app)}/api/v1/link/{link}   (signs in {First}, once)",
            $"  keys     {Path.Combine(data, Folder)}: "
                + string.Join(", ", s_persons.Select(p => $"{p.File} ({p.Name}, {SnakeCase.Of(p.Role)})")),
        ];
    }
}
