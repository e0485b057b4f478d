using Twin.Api;
using Twin.Grains;
using Twin.Grains.Ledger;
using Twin.Hardware;
using Twin.Silo.Embedded;
using Twin.Silo.Tests.Answers;

namespace Twin.Silo.Tests.Commands;

/// <summary>Who may, by the command line, on a directory whose service is stopped.</summary>
public sealed class AccessCommandTests : IAsyncLifetime
{
    private readonly TestDirectory _directory = new();

    private string Data => _directory.Sub("data");

    public async Task InitializeAsync()
    {
        await using var fleet = AnswerScene.Open(Data);
    }

    public Task DisposeAsync()
    {
        _directory.Dispose();
        return Task.CompletedTask;
    }

    private string[] With(params string[] args) => [.. args, "--data", Data];

    private static string[] At(int minute, params string[] args) =>
        [.. args, "--by", "Root", "--at", $"2026-03-01T12:{minute:00}:00Z"];

    [Fact]
    public async Task A_first_admin_is_made_and_a_key_is_shown_once()
    {
        Assert.Contains("nobody yet", await InProcess.Well(With("person", "list")));
        Assert.Contains("nobody may act", await InProcess.Well(With("key", "list")));
        await InProcess.Well(With(At(0, "person", "set", "Dora Eng", "admin", "--why", "the first")));
        var key = (await InProcess.Well(With(At(1, "key", "create", "dora eng", "--days", "30")))).Trim();
        Assert.True(ApiKey.TryRead(key, out var id, out var secret), key);
        var list = await InProcess.Json(With("key", "list"));
        var only = Assert.Single(list.EnumerateArray());
        Assert.Equal(($"{id:x16}", "Dora Eng", "2026-03-31T12:01:00Z"), (only.GetProperty("id").GetString(),
            only.GetProperty("holder").GetString(), only.GetProperty("expires_at").GetString()));
        foreach (var verb in (string[][])[["key", "list"], ["person", "list"], ["ledger", "list"]])
            Assert.DoesNotContain(secret, await InProcess.Well(With(verb)));
    }

    [Fact]
    public async Task A_key_goes_into_a_new_file_for_its_owner_alone()
    {
        var file = _directory.Sub("anna.key");
        var told = await InProcess.Well(With(At(0, "key", "create", "Anna", "--role", "viewer", "--out", file)));
        var key = (await File.ReadAllTextAsync(file)).Trim();
        Assert.True(ApiKey.TryRead(key, out _, out var secret));
        Assert.DoesNotContain(secret, told);
        if (!OperatingSystem.IsWindows())
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(file));
        await InProcess.Wrong(With(At(1, "key", "create", "Anna", "--out", file)));
        Assert.Equal(key, (await File.ReadAllTextAsync(file)).Trim());
    }

    [Fact]
    public async Task Wrong_use_is_one_message_and_changes_nothing()
    {
        Assert.Contains("no person or service", await InProcess.Wrong(With(At(0, "key", "create", "Nobody"))));
        Assert.Contains("viewer, analyst", await InProcess.Wrong(With(At(0, "person", "set", "Anna", "king"))));
        Assert.Contains("neither approves",
            await InProcess.Wrong(With(At(0, "person", "set", "batch", "approver", "--service"))));
        Assert.Contains("no id of a key", await InProcess.Wrong(With(At(0, "key", "revoke", "12"))));
        Assert.Contains("no key", await InProcess.Wrong(With(At(0, "key", "revoke", "0123456789abcdef"))));
        Assert.Contains("There is no Anna", await InProcess.Wrong(With(At(0, "person", "disable", "Anna"))));
        Assert.Empty((await InProcess.Json(With("person", "list"))).EnumerateArray());
    }

    [Fact]
    public async Task All_that_was_done_is_in_the_ledger_with_who_and_why()
    {
        await InProcess.Well(With(At(0, "person", "set", "Ben", "operator", "--region", "north", "--why", "on call")));
        var key = (await InProcess.Well(With(At(1, "key", "create", "Ben")))).Trim();
        await InProcess.Well(With(At(2, "key", "revoke", key[3..19], "--why", "lost")));
        await InProcess.Well(With(At(3, "person", "disable", "Ben", "--why", "left")));
        var shown = await InProcess.Well(With("person", "list"));
        Assert.Contains("Ben", shown);
        Assert.Contains("disabled", shown);
        Assert.Contains("revoked 2026-03-01T12:02:00Z", await InProcess.Well(With("key", "list")));
        await using var fleet = AnswerScene.Open(Data);
        var acts = fleet.Ledger.Entries(0, 100).Where(e => e.Entry.Kind == LedgerKind.Act)
            .Select(e => LedgerWords.Of(e.Entry).Text).ToArray();
        Assert.Equal(4, acts.Length);
        Assert.Equal("person Ben is operator in north, says Root: on call", acts[0]);
        Assert.Equal($"key {key[3..19]} revoked by Root: lost", acts[2]);
        Assert.Equal("person Ben is disabled in north, says Root: left", acts[3]);
        Assert.Contains("Ben", LedgerWords.PeopleOf(fleet.Ledger.Entries(0, 1)[0].Entry));
    }

    [Fact]
    public async Task A_running_service_is_asked_with_an_admins_key()
    {
        var root = _directory.Sub("root.key");
        await InProcess.Well(With("key", "create", "Root", "--role", "admin", "--out", root));
        await using var fleet = AnswerScene.Open(Data);
        await using var app = await ApiHost.Start(fleet, 0, ServiceMode.Live, default);
        string[] At(params string[] args) => [.. args, "--url", ApiHost.Address(app), "--with", root];

        var anna = _directory.Sub("anna.key");
        await InProcess.Well(At("person", "set", "Anna", "analyst", "--region", "north", "--why", "new"));
        await InProcess.Well(At("key", "create", "anna", "--days", "30", "--out", anna));
        var key = (await File.ReadAllTextAsync(anna)).Trim();
        Assert.True(ApiKey.TryRead(key, out var id, out _));
        var robot = (await InProcess.Well(At("key", "create", "robot", "--role", "sender", "--service"))).Trim();
        Assert.True(ApiKey.TryRead(robot, out _, out var secret));
        var persons = (await InProcess.Json(At("person", "list"))).EnumerateArray()
            .ToDictionary(p => p.GetProperty("name").GetString()!, p => p.GetProperty("role").GetString());
        Assert.Equal(new Dictionary<string, string?> { ["Anna"] = "analyst", ["Root"] = "admin", ["robot"] = "sender" },
            persons);
        Assert.Contains("north", await InProcess.Well(At("person", "list")));
        Assert.DoesNotContain(secret, await InProcess.Well(At("key", "list")));

        using var client = new HttpClient { BaseAddress = new Uri(ApiHost.Address(app)) };
        client.DefaultRequestHeaders.Authorization = new("Bearer", key);
        async Task<int> Ask()
        {
            using var answer = await client.GetAsync("/api/v1/cases");
            return (int)answer.StatusCode;
        }
        Assert.Equal(200, await Ask());
        await InProcess.Well(At("key", "revoke", $"{id:x16}", "--why", "lost"));
        Assert.Equal(401, await Ask());
        Assert.Contains("revoked", await InProcess.Well(At("key", "list")));
        await InProcess.Well(At("person", "disable", "Anna"));
        Assert.Contains("disabled", await InProcess.Well(At("person", "list")));

        // A key that may not, one that is none, an address in the clear, no service there.
        var low = _directory.Sub("low.key");
        await File.WriteAllTextAsync(low, robot);
        foreach (var (args, why) in ((string[], string)[])
        [
            (["person", "list", "--url", ApiHost.Address(app), "--with", low], "role_not_sufficient"),
            (At("key", "create", "Nobody"), "no person or service"),
            (["key", "list", "--url", "http://192.0.2.1:8080", "--with", root], "in the clear"),
            (["key", "list", "--url", ApiHost.Address(app)], "--with"),
            (["key", "list", "--with", root], "--url"),
            (["key", "list", "--url", "http://127.0.0.1:1", "--with", root], "gives no answer"),
        ])
            Assert.Contains(why, await InProcess.Wrong(args));
    }
}
