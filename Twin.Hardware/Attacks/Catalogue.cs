namespace Twin.Hardware.Attacks;

/// <summary>
/// Every attack, fault and look-alike that the fleet's twins are tried with: T01 to T40 of operation, L01 and on of a
/// meter's life, N01 and on of the network. In the order of their ids.
/// </summary>
public static class Catalogue
{
    private static readonly Attack[] Entries =
    [
        .. FirmwareAttacks.Entries().Concat(CommandAttacks.Entries()).Concat(ReadingAttacks.Entries())
            .Concat(NetworkAttacks.Entries()).Concat(LifeCycleAttacks.Entries())
            .Concat(ImageAttacks.Entries())
            .OrderBy(a => a.Id[0] switch { 'T' => 0, 'L' => 1, _ => 2 }).ThenBy(a => a.Id, StringComparer.Ordinal),
    ];

    public static IReadOnlyList<Attack> All => Entries;

    /// <summary>The entry of that id, whatever its case; null when there is none.</summary>
    public static Attack? Find(string id) =>
        Entries.FirstOrDefault(a => a.Id.Equals(id, StringComparison.OrdinalIgnoreCase));
}
