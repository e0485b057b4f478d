using System.CommandLine;
using System.Globalization;
using System.Text.Json.Nodes;
using Twin.Api;
using Twin.Grains;
using Twin.Grains.Access;
using Twin.Hardware;
using Twin.Silo.Embedded;
using Twin.Silo.Storage;

namespace Twin.Silo.Commands;

/// <summary>
/// <c>metertwin key</c> and <c>metertwin person</c>: who may use the API. On a data directory whose service is stopped,
/// or of a running service (<c>--url</c>), which is asked over HTTP.
/// </summary>
internal static class AccessCommands
{
    private const long DaySeconds = 86_400;
    private const int MaxDays = 3_660;

    private static Argument<string> Name() => new("name") { Description = "the person or service" };

    private static Option<string> Why() => new("--why")
    {
        Description = "in your own words, for the ledger", DefaultValueFactory = _ => "",
    };

    public static Command MakeKey() => new Command("key", "Keys of the HTTP API, each of one person or service.")
    {
        Create(), List(), Revoke(),
    };

    public static Command MakePerson() => new Command("person", "Persons and services that may use the HTTP API.")
    {
        Set(), Persons(), Disable(),
    };

    private static Command Create()
    {
        var (flags, name, why) = (new ActFlags(), Name(), Why());
        var days = new Option<int>("--days") { Description = "days until it expires", DefaultValueFactory = _ => 365 };
        var role = new Option<string?>("--role")
        {
            Description = "adds the person with this role, if there is none: viewer, analyst, operator, approver, "
                + "admin",
        };
        var service = new Option<bool>("--service")
        {
            Description = "it is for a service (viewer to operator, sender)",
        };
        var file = new Option<string?>("--out") { Description = "write the key into a new file of mode 600" };
        var command = new Command("create", "Make a key. It is printed once and kept nowhere.")
        {
            name, role, service, days, file, why,
        };
        flags.AddTo(command);
        var remote = Remote(command);
        command.SetAction((p, cancel) => Cli.Guarded(async () =>
        {
            var (at, by, holder) = (flags.At(p), flags.By(p), p.GetValue(name)!);
            if (p.GetValue(days) is < 1 or > MaxDays) throw new ArgumentException($"--days is 1 to {MaxDays}.");
            using var running = remote.Of(p);
            if (running is not null)
            {
                if (p.GetValue(role) is { } given)
                    await running.Put(holder, new JsonObject
                    {
                        ["role"] = given, ["service"] = p.GetValue(service), ["why"] = p.GetValue(why),
                    }, cancel);
                var answer = await running.MakeKey(holder, p.GetValue(days), p.GetValue(why)!, cancel);
                Tell(p, (string)answer["key"]!, (string)answer["id"]!, (string)answer["holder"]!,
                    (string?)answer["expires_at"], p.GetValue(file));
                return Cli.Ok;
            }
            await using var fleet = flags.Open(p);
            if (p.GetValue(role) is { } word)
                await Append(fleet, await Role(fleet, holder, ActFlags.Parse<Role>(word, "role"), p.GetValue(service),
                    at, by, p.GetValue(why)!, cancel), cancel);
            var known = Array.Find((await View(fleet, cancel)).Holders, h => h.Key == PersonKey.Of(holder));
            var (text, made) = ApiKey.Make(at, by, known?.Name ?? holder,
                new UnixTime(at.Seconds + p.GetValue(days) * DaySeconds), p.GetValue(why)!);
            await Append(fleet, made, cancel);
            Tell(p, text, made.Id.ToString("x16", CultureInfo.InvariantCulture), made.Holder,
                made.ExpiresAt?.ToString(), p.GetValue(file));
            return Cli.Ok;
        }));
        return command;
    }

    private static AccessService.Flags Remote(Command command)
    {
        var flags = new AccessService.Flags();
        flags.AddTo(command);
        return flags;
    }

    private static void Tell(ParseResult p, string text, string id, string holder, string? until, string? file)
    {
        if (file is not null) PrivateFile.Write(file, text);
        if (p.GetValue(Cli.JsonFlag))
            Cli.Print(new
            {
                Id = id, Holder = holder, ExpiresAt = until, Key = file is null ? text : null,
                File = file
            });
        else if (file is null) Console.WriteLine(text);
        else Console.WriteLine($"✓ {file}: key {id} of {holder}, until {until}");
        if (file is null) Cli.Message($"key {id} of {holder}, until {until}. It is shown this once.");
    }

    private sealed record KeyLine(string Id, string Holder, string CreatedAt, string CreatedBy, string? ExpiresAt,
        string? RevokedAt)
    {
        public static KeyLine Of(KeyRecord k) => new(k.Id.ToString("x16", CultureInfo.InvariantCulture), k.Holder,
            k.CreatedAt.ToString(), k.CreatedBy, k.ExpiresAt?.ToString(), k.RevokedAt?.ToString());

        public static KeyLine Of(JsonNode k) => new((string)k["id"]!, (string)k["holder"]!, (string)k["created_at"]!,
            (string)k["created_by"]!, (string?)k["expires_at"], (string?)k["revoked_at"]);
    }

    private static Command List()
    {
        var flags = new ActFlags();
        var command = new Command("list", "List keys, without their secrets.")
        {
            flags.Data, flags.LedgerKey, Cli.JsonFlag,
        };
        var remote = Remote(command);
        command.SetAction((p, cancel) => Cli.Guarded(async () =>
        {
            var keys = await Keys(flags, remote, p, cancel);
            if (p.GetValue(Cli.JsonFlag)) Cli.Print(keys);
            else if (keys.Length == 0)
                Console.WriteLine("no keys: whoever is at this machine may look and send, and nobody may act");
            else
                foreach (var k in keys)
                    Console.WriteLine($"{k.Id}  {k.Holder,-24} "
                        + (k.RevokedAt is { } gone ? $"revoked {gone}" : $"until {k.ExpiresAt ?? "ever"}"));
            return Cli.Ok;
        }));
        return command;
    }

    private static async Task<KeyLine[]> Keys(ActFlags flags, AccessService.Flags remote, ParseResult p,
        CancellationToken cancel)
    {
        using var running = remote.Of(p);
        if (running is not null) return [.. (await running.All("keys", cancel)).Select(KeyLine.Of)];
        await using var fleet = flags.Open(p);
        return [.. (await View(fleet, cancel)).Keys.Select(KeyLine.Of)];
    }

    private static Command Revoke()
    {
        var (flags, why) = (new ActFlags(), Why());
        var id = new Argument<string>("key")
        {
            Description = "its 16 hexadecimal digits, as 'metertwin key list' shows",
        };
        var command = new Command("revoke", "Revoke a key.") { id, why };
        flags.AddTo(command);
        var remote = Remote(command);
        command.SetAction((p, cancel) => Cli.Guarded(async () =>
        {
            var text = p.GetValue(id)!;
            if (text.Length != 16 || !ulong.TryParse(text, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture,
                out var key))
                throw new ArgumentException($"'{text}' is no id of a key. 'metertwin key list' lists them.");
            using var running = remote.Of(p);
            if (running is null)
                return await flags.Do(p, new KeyRevoked(flags.At(p), flags.By(p), key, p.GetValue(why)!), cancel);
            await running.Revoke(text, p.GetValue(why)!, cancel);
            return Done(p, $"key {text} is revoked");
        }));
        return command;
    }

    private static int Done(ParseResult p, string what)
    {
        if (p.GetValue(Cli.JsonFlag)) Cli.Print(new { Done = what });
        else Console.WriteLine($"✓ {what}");
        return Cli.Ok;
    }

    private static Command Set()
    {
        var (flags, name, why) = (new ActFlags(), Name(), Why());
        var role = new Argument<string>("role")
        {
            Description = "viewer, analyst, operator, approver, admin, or for a service sender",
        };
        var service = new Option<bool>("--service") { Description = "it is a service" };
        var emergency = new Option<bool>("--break-glass")
        {
            Description = "for emergencies: each use is a finding of high severity",
        };
        var regions = new Option<string[]>("--region")
        {
            Description = "sees and acts in these regions alone (default all)", AllowMultipleArgumentsPerToken = true,
        };
        var command = new Command("set", "Add a person or service, or change the role: a finding, and approvals count "
            + "after 24 hours.")
        {
            name, role, service, emergency, regions, why,
        };
        flags.AddTo(command);
        var remote = Remote(command);
        command.SetAction((p, cancel) => Cli.Guarded(async () =>
        {
            var (who, what) = (p.GetValue(name)!, ActFlags.Parse<Role>(p.GetValue(role)!, "role"));
            using var running = remote.Of(p);
            if (running is null)
                return await flags.Do(p, new HolderSet(flags.At(p), flags.By(p), who, p.GetValue(service), what,
                    p.GetValue(regions) ?? [], false, p.GetValue(emergency), p.GetValue(why)!), cancel);
            await running.Put(who, new JsonObject
            {
                ["role"] = SnakeCase.Of(what), ["service"] = p.GetValue(service), ["disabled"] = false,
                ["regions"] = new JsonArray([.. (p.GetValue(regions) ?? []).Select(r => (JsonNode)r)]),
                ["break_glass"] = p.GetValue(emergency), ["why"] = p.GetValue(why),
            }, cancel);
            return Done(p, $"{who} is {SnakeCase.Of(what)}");
        }));
        return command;
    }

    private sealed record PersonLine(string Name, bool IsService, string Role, string RoleSince, string? ApprovesFrom,
        string[] Regions, bool IsDisabled, bool IsBreakGlass)
    {
        public static PersonLine Of(Holder h) => new(h.Name, h.IsService, SnakeCase.Of(h.Role), h.RoleSince.ToString(),
            h.ApprovesFrom?.ToString(), h.Regions, h.IsDisabled, h.IsBreakGlass);

        public static PersonLine Of(JsonNode h) => new((string)h["name"]!, (bool)h["is_service"]!, (string)h["role"]!,
            (string)h["role_since"]!, (string?)h["approves_from"],
            [.. h["regions"]!.AsArray().Select(r => (string)r!)], (bool)h["is_disabled"]!, (bool)h["is_break_glass"]!);
    }

    private static Command Persons()
    {
        var flags = new ActFlags();
        var command = new Command("list", "List persons and services.") { flags.Data, flags.LedgerKey, Cli.JsonFlag };
        var remote = Remote(command);
        command.SetAction((p, cancel) => Cli.Guarded(async () =>
        {
            var holders = await All(flags, remote, p, cancel);
            if (p.GetValue(Cli.JsonFlag)) Cli.Print(holders);
            else if (holders.Length == 0)
                Console.WriteLine("nobody yet: 'metertwin person set NAME ROLE' adds somebody");
            else
                foreach (var h in holders)
                    Console.WriteLine($"{h.Name,-24} {(h.IsDisabled ? "disabled" : h.Role),-10} "
                        + $"since {h.RoleSince}" + (h.ApprovesFrom is { } from ? $", approves from {from}" : "")
                        + (h.Regions.Length > 0 ? $", {string.Join(", ", h.Regions)}" : "")
                        + (h.IsBreakGlass ? ", for emergencies" : "") + (h.IsService ? ", service" : ""));
            return Cli.Ok;
        }));
        return command;
    }

    private static async Task<PersonLine[]> All(ActFlags flags, AccessService.Flags remote, ParseResult p,
        CancellationToken cancel)
    {
        using var running = remote.Of(p);
        if (running is not null) return [.. (await running.All("persons", cancel)).Select(PersonLine.Of)];
        await using var fleet = flags.Open(p);
        return [.. (await View(fleet, cancel)).Holders.Select(PersonLine.Of)];
    }

    private static Command Disable()
    {
        var (flags, name, why) = (new ActFlags(), Name(), Why());
        var command = new Command("disable", "Disable a person or service; their keys and sessions are good no more.")
        {
            name, why,
        };
        flags.AddTo(command);
        var remote = Remote(command);
        command.SetAction((p, cancel) => Cli.Guarded(async () =>
        {
            using var running = remote.Of(p);
            if (running is not null)
            {
                var who = p.GetValue(name)!;
                await running.Put(who, new JsonObject { ["disabled"] = true, ["why"] = p.GetValue(why) }, cancel);
                return Done(p, $"{who} is disabled");
            }
            await using var fleet = flags.Open(p);
            var known = Array.Find((await View(fleet, cancel)).Holders, h => h.Key == PersonKey.Of(p.GetValue(name)!))
                ?? throw new ArgumentException($"There is no {p.GetValue(name)}. 'metertwin person list' lists all.");
            return await ActFlags.Do(fleet, p, new HolderSet(flags.At(p), flags.By(p), known.Name, known.IsService,
                known.Role, known.Regions, true, known.IsBreakGlass, p.GetValue(why)!), cancel);
        }));
        return command;
    }

    private static async Task<AccessView> View(EmbeddedFleet fleet, CancellationToken cancel) =>
        await fleet.State(HolderSet.Access, AsOf.Now, cancel) is { } state ? AccessView.From(HolderSet.Access, state)
            : new AccessView([], []);

    /// <summary>Who is there keeps what they have but the role.</summary>
    private static async Task<HolderSet> Role(EmbeddedFleet fleet, string name, Role role, bool isService, UnixTime at,
        Actor by, string why, CancellationToken cancel)
    {
        var known = Array.Find((await View(fleet, cancel)).Holders, h => h.Key == PersonKey.Of(name));
        return new HolderSet(at, by, known?.Name ?? name, known?.IsService ?? isService, role, known?.Regions ?? [],
            known?.IsDisabled ?? false, known?.IsBreakGlass ?? false, why);
    }

    private static async Task Append(EmbeddedFleet fleet, Input change, CancellationToken cancel)
    {
        var batch = new InputBatch("acts");
        batch.Add(change);
        if ((await fleet.Append(batch, cancel)).Items[0] is { Status: AdmissionStatus.Rejected } refused)
            throw new ArgumentException(refused.Reason);
    }
}
