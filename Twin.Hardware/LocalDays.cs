using System.Collections.Concurrent;
using System.Globalization;
using NodaTime;
using NodaTime.TimeZones;

namespace Twin.Hardware;

/// <summary>
/// One local day of a meter's zone: its number (days since 1970-01-01 in local terms), the instant it begins and its
/// length, which is 1380 or 1500 minutes when the clock is set. Stored with every block, so that nothing downstream
/// needs the zone.
/// </summary>
public readonly record struct LocalDay(int Number, long StartMinute, int Minutes)
{
    public const int MaxMinutes = 1500;

    /// <summary>Bounds of the day number: the years 1 to 9999.</summary>
    public const int MinNumber = -719_162;
    public const int MaxNumber = 2_932_896;

    public long EndMinute => StartMinute + Minutes;

    /// <summary>ISO date.</summary>
    public string Date => FormatDate(Number);

    /// <summary>Monday = 0 … Sunday = 6 (day 0, 1970-01-01, was a Thursday).</summary>
    public int DayOfWeek => (((Number + 3) % 7) + 7) % 7;

    public bool IsWeekend => DayOfWeek >= 5;

    public static string FormatDate(int number) =>
        DateOnly.FromDayNumber(number + UnixEpochDay).ToString("yyyy-MM-dd", CultureInfo.InvariantCulture);

    private static readonly int UnixEpochDay = new DateOnly(1970, 1, 1).DayNumber;
}

/// <summary>
/// The rules of one zone, from NodaTime's embedded TZDB, never the host's: an IANA name, or a fixed offset like
/// <c>+02:00</c>. Instances are shared and safe to use from many threads.
/// </summary>
public sealed class ZoneRules
{
    /// <summary>Bounded by what the TZDB and offsets in minutes can name: unknown names are not kept.</summary>
    private static readonly ConcurrentDictionary<string, ZoneRules> Known = new(StringComparer.Ordinal);
    private readonly DateTimeZone _zone;
    private readonly ConcurrentDictionary<int, LocalDay> _days = new();

    private ZoneRules(string name, DateTimeZone zone) => (Name, _zone) = (name, zone);

    public string Name { get; }

    /// <summary>Version of the embedded zone rules, a journalled input.</summary>
    public static string TzdbVersion => DateTimeZoneProviders.Tzdb.VersionId;

    public static ZoneRules Utc { get; } = TryGet("UTC", out var utc) ? utc
        : throw new InvalidOperationException("TZDB has no UTC.");

    /// <summary>False when the name is neither in the TZDB nor an offset.</summary>
    public static bool TryGet(string name, out ZoneRules rules)
    {
        if (Known.TryGetValue(name, out rules!)) return true;
        if (Load(name) is not { } loaded) return false;
        rules = Known.GetOrAdd(name, loaded);
        return true;
    }

    private static ZoneRules? Load(string name)
    {
        var zone = DateTimeZoneProviders.Tzdb.GetZoneOrNull(name) ?? FixedOffset(name);
        return zone is null ? null : new ZoneRules(name, zone);
    }

    private static DateTimeZone? FixedOffset(string name)
    {
        var ok = name.Length == 6 && name[0] is '+' or '-'
            && TimeSpan.TryParseExact(name.AsSpan(1), "hh\\:mm", CultureInfo.InvariantCulture, out _);
        if (!ok) return null;
        var span = TimeSpan.ParseExact(name.AsSpan(1), "hh\\:mm", CultureInfo.InvariantCulture);
        var minutes = (int)span.TotalMinutes * (name[0] == '-' ? -1 : 1);
        return Math.Abs(minutes) > 14 * 60 ? null : DateTimeZone.ForOffset(Offset.FromSeconds(minutes * 60));
    }

    /// <summary>The local day that holds the instant.</summary>
    public LocalDay DayOf(long unixMinute)
    {
        var instant = Instant.FromUnixTimeSeconds(unixMinute * 60);
        var date = instant.InZone(_zone).Date;
        return Day((int)(Period.DaysBetween(new LocalDate(1970, 1, 1), date)));
    }

    /// <summary>The local day with that number.</summary>
    public LocalDay Day(int number)
    {
        if (_days.TryGetValue(number, out var day)) return day;
        var date = new LocalDate(1970, 1, 1).PlusDays(number);
        var start = date.AtStartOfDayInZone(_zone).ToInstant().ToUnixTimeSeconds() / 60;
        var end = date.PlusDays(1).AtStartOfDayInZone(_zone).ToInstant().ToUnixTimeSeconds() / 60;
        day = new LocalDay(number, start, (int)(end - start));
        if (_days.Count >= MaxCachedDays) _days.Clear();
        _days[number] = day;
        return day;
    }

    /// <summary>Forty years of days; at the bound the cache starts afresh.</summary>
    private const int MaxCachedDays = 15_000;

    /// <summary>
    /// The instant of a wall-clock time. A time that occurs twice is the earlier one unless <paramref name="second"/>;
    /// a time that the clock skipped is moved forward by the length of the gap (NodaTime's lenient resolver).
    /// </summary>
    public long ToUnixMinute(int year, int month, int day, int hour, int minute, bool second = false)
    {
        var local = new LocalDateTime(year, month, day, hour, minute);
        var resolver = second
            ? Resolvers.CreateMappingResolver(Resolvers.ReturnLater, Resolvers.ReturnForwardShifted)
            : Resolvers.LenientResolver;
        return local.InZone(_zone, resolver).ToInstant().ToUnixTimeSeconds() / 60;
    }

    /// <summary>True when the wall-clock time occurs twice.</summary>
    public bool IsAmbiguous(int year, int month, int day, int hour, int minute) =>
        _zone.MapLocal(new LocalDateTime(year, month, day, hour, minute)).Count == 2;
}
