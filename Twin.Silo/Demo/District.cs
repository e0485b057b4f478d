using System.Globalization;
using Twin.Hardware;

namespace Twin.Silo.Demo;

/// <summary>
/// The district beside the emulated fleet: meters of another make, which MeterTwin knows from the registry alone. No
/// reading of theirs comes in; they are here because whoever has an account at the head-end can switch them, too.
/// </summary>
internal static class District
{
    /// <summary>Meters of the district for each one of the emulated fleet.</summary>
    public const int MetersEach = 9;

    private const int MetersPerFeeder = 50;

    /// <summary>Whose account is used, as <see cref="Hardware.Attacks.AttackStage"/> has it.</summary>
    public static readonly Actor Employee = new("j.doe", "account j.doe");

    private static string NameOf(int index) => "DN-" + index.ToString("D6", CultureInfo.InvariantCulture);

    private static MeterId IdOf(int index) => MeterId.FromUtilityId(NameOf(index));

    /// <summary>What the registry says of so many meters.</summary>
    public static IEnumerable<Input> Registry(int meters)
    {
        for (var i = 0; i < meters; i++)
        {
            yield return new MeterSeen(IdOf(i), NameOf(i), "", 0);
            yield return new MeterRelation(IdOf(i), NameOf(i), MeterRole.Customer,
                string.Create(CultureInfo.InvariantCulture, $"DN-F{i / MetersPerFeeder:D3}"), "AMI-2016", "", "", "",
                string.Create(CultureInfo.InvariantCulture, $"DN-U{i:D6}"), "", "", "", "north",
                CustomerCategory.Ordinary, int.MinValue, int.MaxValue);
        }
    }

    /// <summary>The employee's account asks for a disconnection of each.</summary>
    public static IEnumerable<Input> Disconnections(int meters, UnixTime at)
    {
        for (var i = 0; i < meters; i++)
            yield return new CommandRequest(IdOf(i), at, Employee,
                string.Create(CultureInfo.InvariantCulture, $"DN-RQ-{i:D6}"), ResponseRung.Disconnect, "", "");
    }
}
