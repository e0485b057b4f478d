using System.CommandLine;
using System.Text.Json;
using Twin.Grains;
using Twin.Grains.Cases;
using Twin.Hardware;
using Twin.Silo.Embedded;
using Twin.Silo.Storage;

namespace Twin.Silo.Commands;

/// <summary>The flags of an act that a person does on a data directory, and the one way in.</summary>
internal sealed class ActFlags
{
    private const string Source = "acts";

    public Option<string?> Data { get; } = Cli.Flag("data");

    /// <summary>Whoever opens a directory seals what is new in it.</summary>
    public Option<string?> LedgerKey { get; } = Cli.Flag("ledger-key");

    private readonly Option<string> _by = new("--by")
    {
        Description = "the person who does it", DefaultValueFactory = _ => Environment.UserName,
    };

    private readonly Option<string?> _at = new("--at")
    {
        Description = "when, as 2026-03-01T12:00:00Z (default now)",
    };

    public void AddTo(Command command)
    {
        foreach (var option in (Option[])[_by, _at, Data, LedgerKey, Cli.JsonFlag]) command.Add(option);
    }

    public Actor By(ParseResult p) => new(p.GetValue(_by)!, "os:" + Environment.UserName);

    public UnixTime At(ParseResult p) => p.GetValue(_at) is { } text ? Time(text)
        : new UnixTime(TimeProvider.System.GetUtcNow().ToUnixTimeSeconds());

    /// <exception cref="ArgumentException">It is none, or of another age.</exception>
    public static UnixTime Time(string text) =>
        UnixTime.TryParse(text, out var at) && at.Seconds is >= Earliest and <= Latest ? at
            : throw new ArgumentException($"'{text}' is no time between 1900 and 2200. Write it as "
                + "2026-03-01T12:00:00Z.");

    /// <summary>Seconds of the years 1900 and 2200: what comes of an act, years later, still is in the calendar.
    /// </summary>
    private const long Earliest = -2_208_988_800, Latest = 7_258_118_400;

    public EmbeddedFleet Open(ParseResult p) => Open(Cli.Settings(p, Data, LedgerKey));

    /// <summary>The fleet of a directory that must be there.</summary>
    public static EmbeddedFleet Open(Settings settings)
    {
        using (DataDirectory.Open(settings.Data, mustExist: true)) { }
        return EmbeddedFleet.Open(new EmbeddedOptions
        {
            DataPath = settings.Data, LedgerKeyFile = settings.LedgerKeyFile,
        }, new TwinFactory(), Cli.Message);
    }

    /// <summary>Journals one act; what the twin refuses is the user's to mend.</summary>
    /// <exception cref="ArgumentException">The twin refused it, and says why.</exception>
    private static async Task<(long Position, bool IsRepeat)> Append(EmbeddedFleet fleet, Input act,
        CancellationToken cancel)
    {
        var batch = new InputBatch(Source);
        batch.Add(act);
        var receipt = await fleet.Append(batch, cancel);
        return receipt.Items[0] is { Status: AdmissionStatus.Rejected } refused
            ? throw new ArgumentException(refused.Reason)
            : (receipt.Position, receipt.Items[0].Status == AdmissionStatus.Duplicate);
    }

    /// <summary>Does it, and says what was done.</summary>
    public async Task<int> Do(ParseResult p, Input act, CancellationToken cancel)
    {
        await using var fleet = Open(p);
        return await Do(fleet, p, act, cancel);
    }

    /// <summary>
    /// Does something with the case of that id. A twin has one case behind another: an id of a former or of one that
    /// never was must not hit the one there is now.
    /// </summary>
    /// <exception cref="ArgumentException">There is no such case, or its twin refused it.</exception>
    public async Task<int> Do(ParseResult p, string id, Func<TwinKey, Input> act, CancellationToken cancel)
    {
        await using var fleet = Open(p);
        return await Do(fleet, p, act(await Living(fleet, id, cancel)), cancel);
    }

    /// <summary>The case of an id, which must be the one that there is now.</summary>
    /// <exception cref="ArgumentException">There is no such case, or it has a successor.</exception>
    public static async Task<TwinKey> Living(EmbeddedFleet fleet, string id, CancellationToken cancel)
    {
        var (key, number) = CaseOf(id);
        var now = (await Find(fleet, key, cancel))?.Case.Number ?? 0;
        if (now == 0 || number > now) throw NoCase(id);
        if (number != 0 && number < now)
            throw new ArgumentException($"Case {id} was resolved and has a successor, "
                + $"{CaseSnapshot.IdOf(key, now)}. Name that, or nothing.");
        return key;
    }

    public static ArgumentException NoCase(string id) =>
        new($"There is no case {id}. 'metertwin case list --all' lists them.");

    public static async Task<int> Do(EmbeddedFleet fleet, ParseResult p, Input act, CancellationToken cancel)
    {
        var (position, isRepeat) = await Append(fleet, act, cancel);
        if (p.GetValue(Cli.JsonFlag)) Cli.Print(new { Position = position, Done = act.Describe(), Repeat = isRepeat });
        else
            Console.WriteLine($"✓ {act.Describe()}"
                + (isRepeat ? ": this very act is journalled already, nothing changes"
                    : $"; journalled as input {position}"));
        return Cli.Ok;
    }

    public static async Task<CaseView?> Find(EmbeddedFleet fleet, TwinKey key, CancellationToken cancel) =>
        await fleet.State(key, null, cancel) is { } state ? CaseView.From(key, state) : null;

    /// <summary>All cases, page by page.</summary>
    public static async Task<List<CaseView>> All(EmbeddedFleet fleet, CancellationToken cancel)
    {
        const int page = 1_000;
        var all = new List<CaseView>();
        for (ulong after = 0; ;)
        {
            var keys = await fleet.Keys(TwinKind.Case, after, page, cancel);
            foreach (var key in keys)
                if (await Find(fleet, key, cancel) is { } view) all.Add(view);
            if (keys.Count < page) return all;
            after = keys[^1].Id;
        }
    }

    /// <summary>The case that an id names, with its number checked where one is given.</summary>
    public static (TwinKey Key, int Number) CaseOf(string id) =>
        CaseSnapshot.TryParseId(id, out var key, out var number) ? (key, number) : throw new ArgumentException(
            $"'{id}' is no id of a case: 16 hexadecimal digits, '-' and a number, as 'metertwin case list' shows it.");

    /// <exception cref="ArgumentException">No such word; the message lists those there are.</exception>
    public static T Parse<T>(string text, string what) where T : struct, Enum
    {
        foreach (var value in Enum.GetValues<T>())
            if (SnakeCase.Of(value) == text) return value;
        throw new ArgumentException($"'{text}' is no {what}. Write one of "
            + string.Join(", ", Enum.GetValues<T>().Select(SnakeCase.Of)) + ".");
    }
}
