using Twin.Grains.Policies;
using Twin.Hardware.Coding;

namespace Twin.Grains.Guards;

/// <summary>What the fleet's guard knows of one account. Times: seconds; 0: not.</summary>
internal sealed class Account
{
    /// <summary>What it was granted.</summary>
    public BudgetWindow Window { get; set; } = new();

    /// <summary>The episode of refusals that goes on: its begin, its last refusal, how many, how much load.</summary>
    public long RefusedFrom { get; set; }
    public long RefusedTo { get; set; }
    public int Refused { get; set; }
    public long WattsRefused { get; set; }

    /// <summary>True when the volume of this episode was stated.</summary>
    public bool Told { get; set; }
}

/// <summary>
/// Who asks for commands: what each was granted, and what each was refused. The count of communications by user, above
/// which the excess is quarantined, is that of the Smart Energy Code's Threshold Anomaly Detection (appendix AA).
/// </summary>
internal sealed class AccountBook
{
    /// <summary>
    /// Accounts told apart. At the bound the further ones are one account together, so that nobody gets a budget of
    /// their own by coming under many names.
    /// </summary>
    public const int MaxAccounts = 64;

    /// <summary>An episode of refusals ends when there was none for so long, s.</summary>
    public const int QuietSeconds = 3_600;

    /// <summary>Name of the accounts beyond the bound.</summary>
    public const string Others = "*";
    private const byte EncodingVersion = 1;

    private readonly SortedDictionary<string, Account> _accounts = new(StringComparer.Ordinal);

    public IReadOnlyDictionary<string, Account> Accounts => _accounts;

    public bool IsEmpty => _accounts.Count == 0;

    /// <summary>True while refusals are an episode.</summary>
    public bool HasEpisode => _accounts.Values.Any(a => a.Refused > 0);

    private string NameOf(string account) => _accounts.ContainsKey(account) || _accounts.Count < MaxAccounts - 1
        ? account : Others;

    private Account Of(string account)
    {
        var name = NameOf(account);
        if (!_accounts.TryGetValue(name, out var known)) _accounts[name] = known = new Account();
        return known;
    }

    /// <summary>Why an account has no room in its share; null when it has. The policy has no account.</summary>
    public string? Refusal(string account, in Budget fleet, int percent, long watts)
    {
        if (account.Length == 0 || !_accounts.TryGetValue(NameOf(account), out var known))
            return account.Length == 0 ? null : new BudgetWindow().Refusal(Share(fleet, percent), watts);
        return known.Window.Refusal(Share(fleet, percent), watts);
    }

    /// <summary>A share of a budget, rounded down, but one command where there is any.</summary>
    public static Budget Share(in Budget of, int percent) => new(Share(of.Commands5, percent),
        Share(of.CommandsHour, percent), Share(of.CommandsDay, percent), Share(of.Watts5, percent),
        Share(of.WattsHour, percent), Share(of.WattsDay, percent));

    private static int Share(int of, int percent) => of <= 0 ? of : Math.Max(1, (int)((long)of * percent / 100));

    private static long Share(long of, int percent) => of <= 0 ? of : of / 100 * percent + of % 100 * percent / 100;

    /// <summary>Counts a grant; returns the name under which it is counted.</summary>
    public string Grant(string account, long second, long watts)
    {
        if (account.Length == 0) return "";
        var name = NameOf(account);
        Of(account).Window.Add(second, watts);
        return name;
    }

    /// <param name="name">As <see cref="Grant"/> returned it.</param>
    /// <param name="second">When it was granted.</param>
    /// <param name="watts">Its load.</param>
    public void GiveBack(string name, long second, long watts)
    {
        if (_accounts.TryGetValue(name, out var known)) known.Window.GiveBack(second, watts);
    }

    /// <summary>Counts a refusal; that of the policy's own responses under the empty name.</summary>
    public void Refuse(string account, long now, long watts)
    {
        var a = Of(account);
        if (a.Refused == 0) a.RefusedFrom = now;
        a.RefusedTo = Math.Max(a.RefusedTo, now);
        a.Refused = Math.Min(a.Refused, int.MaxValue - 1) + 1;
        a.WattsRefused = Math.Min(a.WattsRefused, long.MaxValue / 2) + Math.Clamp(watts, 0, BudgetWindow.MaxWatts);
    }

    /// <summary>Ends episodes that are over, and forgets accounts of which nothing is known any more.</summary>
    public void Advance(long clock, long now)
    {
        foreach (var (name, a) in _accounts.ToArray())
        {
            a.Window.Advance(clock);
            if (a.Refused > 0 && now - a.RefusedTo > QuietSeconds)
                (a.Refused, a.WattsRefused, a.RefusedFrom, a.RefusedTo, a.Told) = (0, 0, 0, 0, false);
            if (a.Refused == 0 && a.Window.IsEmpty) _accounts.Remove(name);
        }
    }

    public void Write(ByteWriter to)
    {
        to.Byte(EncodingVersion);
        to.VarUInt((ulong)_accounts.Count);
        foreach (var (name, a) in _accounts)
        {
            to.Text(name);
            a.Window.Write(to);
            to.VarInt(a.RefusedFrom);
            to.VarInt(a.RefusedTo);
            to.VarUInt((ulong)a.Refused);
            to.VarUInt((ulong)a.WattsRefused);
            to.Bool(a.Told);
        }
    }

    /// <exception cref="InvalidDataException">Damaged, or of a newer version.</exception>
    public static AccountBook Read(ref ByteReader r)
    {
        if (r.Byte() is not EncodingVersion and var version)
            throw r.Bad($"a guard's accounts have version {version}, this MeterTwin knows {EncodingVersion}");
        var book = new AccountBook();
        var count = r.Count(MaxAccounts);
        for (var i = 0; i < count; i++)
        {
            var name = r.Text();
            book._accounts[name] = new Account
            {
                Window = BudgetWindow.Read(ref r), RefusedFrom = r.VarInt(), RefusedTo = r.VarInt(),
                Refused = r.Count(int.MaxValue), WattsRefused = checked((long)r.VarUInt()), Told = r.Bool(),
            };
        }
        return book;
    }
}
